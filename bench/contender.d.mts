import type { DataSource } from 'typeorm';
import type { FixtureTable } from './fixture/tables.mjs';

/** The database that all contenders of one scenario look at. */
export interface Place {
  /** By way of the slow link where the scenario has one. */
  readonly url: string;
  /** Without it: for what is not measured. */
  readonly directUrl: string;
  /** Those of the application, in `schema`. There may be more in other schemas. */
  readonly tables: readonly FixtureTable[];
  readonly schema: string;
  /** One data source with the tables as entities, for all who need no fresh one. It is closed with the place. */
  dataSource(): Promise<DataSource>;
}

/** A way to look at a database that is measured. */
export interface Contender {
  /** As on the command line and in the JSON. */
  readonly name: string;
  /** What is measured, for the table. */
  readonly title: string;
  /** The most tables that it is asked to look at: some would take hours. */
  readonly upTo: number;
  /** What it needs but is not measured: an open pool, entities that are loaded. */
  open(place: Place): Promise<OpenContender>;
}

export interface OpenContender {
  /** Before each run, not measured. */
  prepare?(): Promise<void>;
  /** What is measured. */
  run(): Promise<Finding>;
  /** After each run, not measured. */
  cleanUp?(): Promise<void>;
  close(): Promise<void>;
}

export interface Finding {
  /** How many differences it sees between the tables and its own idea of them; null for what compares nothing. */
  readonly differences: number | null;
}
