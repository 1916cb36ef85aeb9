import type { DataSource } from 'typeorm';
import {
  resolveMigratorOptions,
  type AutoMigratorOptions,
  type ResolvedMigratorOptions,
} from './auto-migration.options.js';
import { askerOf } from './desired/ask-pool.js';
import { connectorOf } from './desired/data-source.js';
import { Migrations } from './desired/migrations.js';
import { describeError, InvalidOptionError } from './errors.js';
import { DataFixes } from './heal/data-fixes.js';
import { approve, type ApprovalReport } from './heal/approve.js';
import { heal, type HealRequest } from './heal/heal.js';
import { rollback, type RollbackReport, type RollbackRequest } from './heal/rollback.js';
import type { HealReport } from './heal/heal-report.js';
import { currentHealer, type Healer } from './heal/healer-lock.js';
import { heeding, unlessStopped } from './heal/stopping.js';
import { Claims, type Ask } from './journal/claims.js';
import { readHistory } from './journal/history.js';
import type { RunRecord } from './journal/records.js';
import { Lookout } from './look.js';
import type { Drift, Plan } from './plan/plan.js';
import type { Connect, Connection } from './schema/connection.js';
import { within } from './within.js';

const CANCEL_TIMEOUT_MS = 1000;

/** What a look at the database found. Plain data. */
export interface CheckReport {
  /** `'unknown'`: could not look, see `error`. What is extra or accepted does not make a drift. */
  readonly verdict: 'in-sync' | 'drift' | 'unknown';
  /** Equal for equal entities on a server of the same version; null when unknown. */
  readonly desiredHash: string | null;
  readonly schemas: readonly string[];
  readonly durationMs: number;
  readonly drift: readonly Drift[];
  /** What could not be looked at, or not be trusted, and does not spoil the rest. */
  readonly warnings: readonly string[];
  readonly error: string | null;
}

/** How a check can be stopped. */
export interface CheckRequest {
  /** Ends it: the report then says so, with the verdict 'unknown'. */
  readonly signal?: AbortSignal;
}

/** A check with the statements in the order in which they would run. */
export interface PlanReport extends CheckReport {
  readonly plan: Plan | null;
}

/**
 * The engine: compares the entities of a TypeORM data source with its PostgreSQL database, plans what would bring them
 * together and heals what is safe. Knows nothing of Nest.
 *
 * @example
 * ```ts
 * const migrator = new AutoMigrator(dataSource, { execution: 'online' });
 * const { verdict, drift } = await migrator.check();
 * const { outcome, open } = await migrator.heal();
 * ```
 */
export class AutoMigrator {
  private readonly options: ResolvedMigratorOptions;
  private readonly connect: Connect;
  private readonly sessions = new Set<Connection>();
  private readonly ask: Ask;
  private readonly claims: Claims;
  private readonly lookout: Lookout;
  private readonly migrations: Migrations | null;
  private readonly dataFixes: DataFixes;

  /**
   * @param dataSource an initialised PostgreSQL data source; asked for at each call, so it may be initialised later
   * @throws InvalidOptionError when an option has a value that it cannot have
   */
  constructor(dataSource: DataSource, options: AutoMigratorOptions = {}) {
    this.options = resolveMigratorOptions(options);
    this.connect = remembering(connectorOf(dataSource), this.sessions);
    this.ask = askerOf(dataSource);
    this.claims = new Claims(this.options.journalSchema, this.options.contractAfterMs);
    this.lookout = new Lookout(dataSource, this.ask, this.options, this.claims);
    const { dataFixes, journalSchema, runMigrations } = this.options;
    this.migrations = runMigrations ? new Migrations(dataSource) : null;
    this.dataFixes = new DataFixes(dataSource, this.connect, dataFixes, journalSchema);
  }

  /** Compares. Changes nothing; what keeps it from looking is told in the report, not thrown. */
  async check(request: CheckRequest = {}): Promise<CheckReport> {
    const { plan: _plan, ...report } = await this.plan(request);
    return report;
  }

  /** Compares, and tells what would be done in which order. Changes nothing. */
  async plan({ signal = new AbortController().signal }: CheckRequest = {}): Promise<PlanReport> {
    const start = performance.now();
    try {
      const { desiredHash, schemas, plan, isInSync, warnings } =
        (await unlessStopped(this.lookout.glance(), signal)) ??
        (await this.withConnection((connection) => this.lookout.look(heeding(connection, signal)), signal));
      return {
        verdict: isInSync ? 'in-sync' : 'drift',
        desiredHash,
        schemas,
        durationMs: since(start),
        drift: plan.drift,
        warnings,
        error: null,
        plan,
      };
    } catch (error) {
      const { schemas = [] } = this.options;
      const nothing = { desiredHash: null, schemas, drift: [], warnings: [], plan: null };
      return { verdict: 'unknown', ...nothing, durationMs: since(start), error: describeError(error) };
    }
  }

  /**
   * Runs the pending migrations (option `runMigrations`), heals what the policy allows and runs the data fixes, as the only process that does. What goes wrong is told in the report, not thrown.
   *
   * @param request what asked for it, and how it can be stopped
   */
  async heal(request: HealRequest = {}): Promise<HealReport> {
    const { connect, ask, claims, lookout, migrations, dataFixes, options } = this;
    return heal({ connect, ask, claims, lookout, migrations, dataFixes, options }, request);
  }

  /**
   * Approves findings, open or extra: the next healing does what their SQL says, once, if it costs no more by then.
   * Looks and counts what would be lost; changes nothing but the journal.
   *
   * @param ids those of {@link Drift}; each stands for exactly that object, its texts and its SQL
   * @param by who approves, for the journal
   * @throws InvalidOptionError without a name, ConnectionError, DataSourceError, DesiredSchemaError, JournalError
   */
  async approve(ids: readonly string[], by: string): Promise<ApprovalReport> {
    if (by.trim() === '')
      throw new InvalidOptionError('by', 'is empty: an approval has the name of who gave it');
    const { connect, lookout, options } = this;
    return approve({ connect, lookout, options }, ids, by);
  }

  /**
   * Takes back what a run has done, the latest step first, as the only process that changes anything. What would lose
   * data that was written since comes back as open findings of kind `undo`, for somebody to approve; what the entities
   * ask for stays as it was before, and open (`pinned`), until somebody approves it or they ask for something else. What
   * goes wrong is told in the report, not thrown.
   *
   * @param runId as in {@link RunRecord}
   * @param by who wants it, for the journal
   * @throws InvalidOptionError without a name
   */
  async rollback(
    runId: string,
    by: string,
    request: Omit<RollbackRequest, 'by'> = {},
  ): Promise<RollbackReport> {
    if (by.trim() === '')
      throw new InvalidOptionError('by', 'is empty: an undo has the name of who wants it');
    const { connect, lookout, options } = this;
    return rollback({ connect, lookout, options }, runId, { ...request, by });
  }

  /**
   * The latest runs that changed something or tried to, newest first.
   *
   * @param limit at most so many, 20 unless told
   * @throws ConnectionError, DataSourceError
   */
  async history(limit = 20): Promise<RunRecord[]> {
    const { journalSchema } = this.options;
    return this.withConnection(async (connection) => {
      const healer = await currentHealer(connection, journalSchema);
      return readHistory(connection, journalSchema, limit, healer !== null);
    });
  }

  /**
   * The process that is healing this database at the moment; null when none is.
   *
   * @throws ConnectionError, DataSourceError
   */
  async healer(): Promise<Healer | null> {
    return this.withConnection((connection) => currentHealer(connection, this.options.journalSchema));
  }

  /** Ends every session at once; what they are at is rolled back by the server. @internal */
  async disconnect(): Promise<void> {
    await Promise.all([...this.sessions].map(end));
  }

  private async withConnection<Value>(
    task: (connection: Connection) => Promise<Value>,
    signal = new AbortController().signal,
  ): Promise<Value> {
    const connection = await unlessStopped(this.connect(), signal, (late) => late.close());
    try {
      return await task(connection);
    } finally {
      await connection.close();
    }
  }
}

/** The server would let a statement go on waiting for its lock, with others queued behind it, when its client is gone. */
async function end(session: Connection): Promise<void> {
  await within(
    CANCEL_TIMEOUT_MS,
    session.cancel().catch(() => undefined),
  );
  await session.close();
}

/** Knows which sessions are open. */
function remembering(connect: Connect, sessions: Set<Connection>): Connect {
  return async () => {
    const opened = await connect();
    const session: Connection = {
      ...opened,
      async close() {
        sessions.delete(session);
        await opened.close();
      },
    };
    sessions.add(session);
    return session;
  };
}

function since(start: number): number {
  return Math.round((performance.now() - start) * 10) / 10;
}
