import type { DataSource } from 'typeorm';

/** The database that is healed, while an application uses it. */
export interface Patient {
  readonly url: string;
  /** With the entities that tell what is wanted; it is initialised. */
  readonly dataSource: DataSource;
  /** Aborts when it has taken too long. */
  readonly signal: AbortSignal;
}

/** A way to bring the tables to what is wanted. */
export interface Healer {
  /** As on the command line and in the JSON. */
  readonly name: string;
  /** For the table. */
  readonly title: string;
  /** Throws what it cannot get over. Tells of each step that is done. */
  heal(patient: Patient, onStep: (step: DoneStep) => void): Promise<void>;
}

export interface DoneStep {
  readonly what: string;
  /** How long it took, where that is known. */
  readonly ms: number | null;
}
