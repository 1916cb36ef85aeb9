import type { DataSource } from 'typeorm';
import {
  resolveMigratorOptions,
  type AutoMigratorOptions,
  type ResolvedMigratorOptions,
} from './auto-migration.options.js';
import { assertUsable, connectorOf } from './desired/data-source.js';
import { readDesiredSchema } from './desired/desired-schema.js';
import { notesTableOf, readNotes } from './desired/notes.js';
import { tablesLeftAlone } from './desired/own-tables.js';
import { compareSchemas } from './drift/compare.js';
import type { Difference } from './drift/drift-kind.js';
import { compareNotes } from './drift/compare-notes.js';
import { withoutIgnored } from './drift/ignore.js';
import { describeError } from './errors.js';
import { heal, type HealRequest, type Look } from './heal/heal.js';
import type { HealReport } from './heal/heal-report.js';
import { currentHealer, type Healer } from './heal/healer-lock.js';
import { readHistory } from './journal/history.js';
import type { RunRecord } from './journal/records.js';
import { planDifferences, questionsOf, type Drift, type Plan } from './plan/plan.js';
import type { Connect, Connection } from './schema/connection.js';
import type { Note, QualifiedName, Schema } from './schema/model.js';
import { readAnswers } from './schema/read-answers.js';
import { readSchema } from './schema/read-schema.js';

/** What a look at the database found. Plain data. */
export interface CheckReport {
  /** `'unknown'`: could not look, see `error`. What is extra or accepted does not make a drift. */
  readonly verdict: 'in-sync' | 'drift' | 'unknown';
  /** Equal for equal entities on a server of the same version; null when unknown. */
  readonly desiredHash: string | null;
  readonly schemas: readonly string[];
  readonly durationMs: number;
  readonly drift: readonly Drift[];
  readonly error: string | null;
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

  /**
   * @param dataSource an initialised PostgreSQL data source; asked for at each call, so it may be initialised later
   * @throws InvalidOptionError when an option has a value that it cannot have
   */
  constructor(
    private readonly dataSource: DataSource,
    options: AutoMigratorOptions = {},
  ) {
    this.options = resolveMigratorOptions(options);
    this.connect = connectorOf(dataSource);
  }

  /** Compares. Changes nothing; what keeps it from looking is told in the report, not thrown. */
  async check(): Promise<CheckReport> {
    const { plan: _plan, ...report } = await this.plan();
    return report;
  }

  /** Compares, and tells what would be done in which order. Changes nothing. */
  async plan(): Promise<PlanReport> {
    const start = performance.now();
    try {
      const look = await this.withConnection((connection) => this.look(connection));
      const { desiredHash, schemas, plan } = look;
      const verdict = isOpen(plan) ? 'drift' : 'in-sync';
      return {
        verdict,
        desiredHash,
        schemas,
        durationMs: since(start),
        drift: plan.drift,
        error: null,
        plan,
      };
    } catch (error) {
      const nothing = { desiredHash: null, schemas: this.options.schemas ?? [], drift: [], plan: null };
      return { verdict: 'unknown', ...nothing, durationMs: since(start), error: describeError(error) };
    }
  }

  /**
   * Heals what the policy allows, as the only process that does. What goes wrong is told in the report, not thrown.
   *
   * @param request what asked for it, and how it can be stopped
   */
  async heal(request: HealRequest = {}): Promise<HealReport> {
    return heal(
      { connect: this.connect, look: (connection) => this.look(connection), options: this.options },
      request,
    );
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

  private async look(connection: Connection): Promise<Look> {
    assertUsable(this.dataSource);
    const { ignore, execution, policy } = this.options;
    const desired = await readDesiredSchema(this.dataSource, connection, this.options.schemas);
    const schemas = this.options.schemas ?? desired.schema.namespaces.map(({ name }) => name);
    const scope = schemas.map((schema) => ({ actual: schema, reportedAs: schema }));
    const actual = scope.length === 0 ? desired.schema : await readSchema(connection, scope);
    const visible = withoutIgnored(this.withoutOwnTables(actual, desired.schema), ignore);
    const differences = [
      ...compareSchemas(withoutIgnored(desired.schema, ignore), visible),
      ...(await this.compareNotes(connection, desired.notes, schemas)),
    ];
    const answers = await readAnswers(connection, questionsOf(differences, actual, execution));
    const plan = planDifferences(differences, actual, answers, { execution, policy });
    return { desiredHash: desired.hash, schemas, plan };
  }

  /** Only asked for where entities need any. */
  private async compareNotes(
    connection: Connection,
    notes: readonly Note[],
    schemas: readonly string[],
  ): Promise<Difference[]> {
    const wanted = notes.filter(({ schema }) => schemas.includes(schema));
    if (wanted.length === 0) return [];
    const table = notesTableOf(this.dataSource);
    return compareNotes(wanted, await readNotes(connection, table), table);
  }

  /** TypeORM's tables and our journal's are in no entity, and yet not extra. */
  private withoutOwnTables(actual: Schema, desired: Schema): Schema {
    const journal = ['run', 'step'].map((name): QualifiedName => ({
      schema: this.options.journalSchema,
      name,
    }));
    const own = [...tablesLeftAlone(this.dataSource), ...journal];
    const isExtra = (table: QualifiedName): boolean => !isAmong(table, own) || isAmong(table, desired.tables);
    return { ...actual, tables: actual.tables.filter(isExtra) };
  }

  private async withConnection<Value>(task: (connection: Connection) => Promise<Value>): Promise<Value> {
    const connection = await this.connect();
    try {
      return await task(connection);
    } finally {
      await connection.close();
    }
  }
}

function isOpen({ drift }: Plan): boolean {
  return drift.some(({ disposition }) => disposition === 'heal' || disposition === 'open');
}

function since(start: number): number {
  return Math.round((performance.now() - start) * 10) / 10;
}

function isAmong({ schema, name }: QualifiedName, tables: readonly QualifiedName[]): boolean {
  return tables.some((table) => table.schema === schema && table.name === name);
}
