import { isDeepStrictEqual } from 'node:util';
import pg from 'pg';
import type { DataSource } from 'typeorm';
import type { AutoMigrator } from '../../src/auto-migrator.js';
import { connectorOf } from '../../src/desired/data-source.js';
import type { Drift } from '../../src/plan/plan.js';
import type { RunOutcome } from '../../src/journal/records.js';
import type { Connection } from '../../src/schema/connection.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';
import { legacyOf, type FaultCase } from './fault-cases.mjs';
import { Faults, type Fault, type Point } from './fault.js';
import { readState, type State } from './state.js';
import { openSubject } from './subject.mjs';

/** What became of one fault. */
export interface Outcome {
  readonly fault: Fault;
  /** The statement that it met; null where the run did not come to one. */
  readonly point: Point | null;
  /** How the run that met it shows in the journal afterwards; null where it had not begun there. */
  readonly run: RunOutcome | null;
  /** How the database differs from one that was healed in peace; null where it does not. */
  readonly difference: unknown;
}

/** Some cases in a database of their own, which is healed again and again, and dies on the way. */
export class Trial {
  private constructor(
    private readonly cases: readonly FaultCase[],
    readonly database: TestDatabase,
    private readonly dataSource: DataSource,
    private readonly migrator: () => AutoMigrator,
    private readonly connection: Connection,
    private readonly admin: pg.Client,
    private readonly faults: Faults,
  ) {}

  static async open(cases: readonly FaultCase[]): Promise<Trial> {
    const database = await createTestDatabase();
    const admin = new pg.Client({ connectionString: database.url });
    await admin.connect();
    const faults = new Faults(admin, database.url);
    const { dataSource, migrator } = await openSubject(database.url, cases, faults.driver);
    // One that no fault meets.
    const connection = await connectorOf(await openDataSource(database.url, []))();
    return new Trial(cases, database, dataSource, migrator, connection, admin, faults);
  }

  async close(): Promise<void> {
    await Promise.all([this.connection.close(), this.admin.end(), this.dataSource.destroy()]);
    await this.database.drop();
  }

  /** A healing in peace: what it comes to, and by which statements. */
  async healInPeace(): Promise<{ readonly expected: State; readonly points: readonly Point[] }> {
    await this.reset();
    const points = await this.faults.without(() => this.heal());
    return { expected: await this.stateAfter(), points };
  }

  /** A healing that meets a fault, and the next process's. */
  async meet(fault: Fault, expected: State): Promise<Outcome> {
    await this.reset();
    const point = await this.dieOf(fault);
    const hasBegun = (await this.runs()).length > 0;
    const difference = await this.finish(expected);
    const run = hasBegun ? ((await this.runs()).at(-1) ?? null) : null;
    return { fault, point, run, difference };
  }

  /** A healing that meets a fault; answers with the statement at which it did. */
  dieOf(fault: Fault): Promise<Point | null> {
    return this.faults.during(fault, () => this.migrator().heal());
  }

  /** The next process heals; answers with what is not as expected, null where all is. */
  async finish(expected: State): Promise<unknown> {
    try {
      await this.heal();
      const state = await this.stateAfter();
      return isDeepStrictEqual(state, expected) ? null : { state, expected };
    } catch (error) {
      return error;
    }
  }

  /** How the runs of the journal have ended, the newest first. */
  async runs(): Promise<RunOutcome[]> {
    return (await this.migrator().history(1000)).map(({ outcome }) => outcome);
  }

  /** The database as it was before the first healing. */
  async reset(): Promise<void> {
    await this.admin.query(
      `drop schema if exists public, annex, auto_migration cascade; create schema public; ${legacyOf(this.cases)}`,
    );
    if (this.cases.some(({ isApproved }) => isApproved)) await this.approve();
  }

  /** In the name of whoever has looked at the cases that are to be approved. */
  private async approve(): Promise<void> {
    const tables = this.cases.flatMap(({ table, isApproved }) => (isApproved ? [`public.${table}`] : []));
    const { drift } = await this.migrator().check();
    const isMeant = ({ object, disposition }: Drift): boolean =>
      (disposition === 'extra' || disposition === 'open') && tables.some((table) => object.startsWith(table));
    const { refused } = await this.migrator().approve(
      drift.filter(isMeant).map(({ id }) => id),
      'ada',
    );
    if (refused.length > 0) throw new Error(JSON.stringify(refused));
  }

  /** As a new process; what is left is an error. */
  private async heal(): Promise<void> {
    const { outcome, error, failed, open } = await this.migrator().heal();
    if (outcome !== 'healed' && outcome !== 'nothing-to-do')
      throw new Error(JSON.stringify({ outcome, error, failed, open }));
  }

  private async stateAfter(): Promise<State> {
    const { upQueries } = await this.dataSource.driver.createSchemaBuilder().log();
    if (upQueries.length > 0) throw new Error(`TypeORM finds something to do: ${JSON.stringify(upQueries)}`);
    return readState(this.connection, this.cases);
  }
}
