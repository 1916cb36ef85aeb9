import type { QualifiedName } from '../schema/model.js';

/** Table locks by PostgreSQL's names. https://www.postgresql.org/docs/current/explicit-locking.html */
export type LockMode =
  'NONE' | 'SHARE UPDATE EXCLUSIVE' | 'SHARE' | 'SHARE ROW EXCLUSIVE' | 'ACCESS EXCLUSIVE';

/** One statement, with what it costs those who use the database meanwhile. */
export interface Step {
  /** What it changes: `public.staff.first_name`. */
  readonly object: string;
  /** The table that it locks; null where it locks none that exists. */
  readonly table: QualifiedName | null;
  readonly sql: string;
  /** In a few words, for people: `add column`. */
  readonly action: string;
  readonly lock: LockMode;
  /** Writes the whole table anew under its lock. */
  readonly rewrites: boolean;
  /** Reads the whole table under its lock. */
  readonly scans: boolean;
}

/** The order in which units run: what others build on comes first. */
export const PHASES = [
  'extension',
  'schema',
  'type',
  'table',
  'name',
  'column',
  'type-change',
  'constraint',
  'index',
  'foreign-key',
  'validation',
  'not-null',
  'view',
  'note',
] as const;

export type Phase = (typeof PHASES)[number];

/** The smallest set of steps that must happen together. */
export interface Unit {
  readonly phase: Phase;
  /** False for statements that PostgreSQL refuses inside a transaction; such a unit has one step. */
  readonly transactional: boolean;
  readonly steps: readonly Step[];
  /** Run when the unit fails half-way although it has no transaction to roll back. */
  readonly cleanup: string | null;
}

/** A unit in a transaction. */
export function unit(phase: Phase, ...steps: Step[]): Unit {
  return { phase, transactional: true, steps, cleanup: null };
}

/** A unit of one statement that runs outside any transaction. */
export function concurrentUnit(phase: Phase, step: Step, cleanup: string | null = null): Unit {
  return { phase, transactional: false, steps: [step], cleanup };
}
