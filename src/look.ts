import { setImmediate as breathe } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import type { ResolvedMigratorOptions } from './auto-migration.options.js';
import { assertUsable } from './desired/data-source.js';
import { DesiredSchemas, type Desired } from './desired/desired-schema.js';
import { notesTableOf, readNotes } from './desired/notes.js';
import { tablesLeftAlone } from './desired/own-tables.js';
import { annotate, describeDeclaration } from './desired/declarations.js';
import { DeclaredSchemas } from './desired/declared-schemas.js';
import { awaitsLastSweep, compareFills, filledColumns, type FilledColumn } from './drift/compare-fills.js';
import { withFillsRenamed } from './drift/renamed-fills.js';
import { compareNotes } from './drift/compare-notes.js';
import { differencesOf } from './drift/compare.js';
import type { Difference } from './drift/drift-kind.js';
import { compareUndos } from './drift/undo-request.js';
import { withoutIgnored } from './drift/ignore.js';
import type { Look } from './heal/heal.js';
import { readUnfilled } from './heal/unfilled.js';
import { isDecided } from './journal/approvals.js';
import type { Ask, Claims, Release } from './journal/claims.js';
import { describeUnread } from './journal/journal-relations.js';
import { assertOurs, JOURNAL_TABLES } from './journal/journal-tables.js';
import { readStanding } from './journal/standing.js';
import { recallSchema, rememberSchema } from './journal/remembered-schemas.js';
import { withPinsRenamed } from './plan/pins.js';
import { planDifferences, questionsOf } from './plan/plan.js';
import { isLookedAt } from './plan/applied-step.js';
import { isAsMade } from './plan/as-made.js';
import { inUndoOrder } from './plan/undo-order.js';
import type { Answers, Question } from './plan/question.js';
import type { Standing } from './plan/standing.js';
import type { Connection } from './schema/connection.js';
import { fingerprintQuery } from './schema/fingerprint.js';
import { displayName, keyOf } from './schema/identifier.js';
import type { Schema } from './schema/model.js';
import { readAnswers } from './schema/read-answers.js';
import { columnKey, withMaxima } from './schema/read-maxima.js';
import { readSchema } from './schema/read-schema.js';

/** What no fingerprint shows (rows, a sequence's value, rights) is looked at again after this. */
const FULL_LOOK_AFTER_MS = 60 * 60 * 1000;

const TABLES_A_BREATH = 250;

/** A database that was found in sync, and how to tell that nobody has changed it since. */
interface Settled {
  readonly look: Look;
  /** One query for all that tells. */
  readonly sql: string;
  readonly fingerprint: string;
  readonly entities: unknown;
  readonly at: number;
}

/** Looks at the database: reads both sides, compares them and judges the differences. Changes nothing. */
export class Lookout {
  private readonly desired: DesiredSchemas;
  private readonly declared: DeclaredSchemas;
  private settled: Settled | undefined;

  constructor(
    private readonly dataSource: DataSource,
    private readonly ask: Ask,
    private readonly options: ResolvedMigratorOptions,
    private readonly claims: Claims,
  ) {
    const { journalSchema, schemas } = options;
    const memory = {
      recall: (connection: Connection, hash: string) => recallSchema(connection, journalSchema, hash),
    };
    this.desired = new DesiredSchemas(dataSource, memory, schemas);
    this.declared = new DeclaredSchemas(dataSource, options);
  }

  /**
   * The last look, if it found the database in sync and nothing in the catalog has changed since, nor has anybody decided
   * about what is extra. One query, by the application's own pool.
   */
  async glance(): Promise<Look | undefined> {
    const { settled } = this;
    if (!settled || settled.entities !== this.dataSource.entityMetadatas) return undefined;
    if (Date.now() - settled.at > FULL_LOOK_AFTER_MS) return undefined;
    try {
      const [row] = await this.ask<{ fingerprint: string; decided: boolean }>(settled.sql, []);
      const isUnchanged = row?.fingerprint === settled.fingerprint && !row.decided;
      return isUnchanged ? settled.look : undefined;
    } catch {
      // Whatever it is, the full look meets it, too, and can say what it means.
      return undefined;
    }
  }

  /** @throws DataSourceError, DesiredSchemaError */
  async look(connection: Connection): Promise<Look> {
    assertUsable(this.dataSource);
    this.settled = undefined;
    const { ignore } = this.options;
    const read = await this.desired.read(connection);
    this.assertNoEntityOfTheJournal(read.schema);
    const declared = this.declared.of(read.schema);
    const desired = { ...read, schema: declared.schema };
    const schemas = this.options.schemas ?? desired.schema.namespaces.map(({ name }) => name);
    const scope = schemas.map((schema) => ({ actual: schema, reportedAs: schema }));
    const actual = scope.length === 0 ? desired.schema : await readSchema(connection, scope);
    await breathe();
    const there = annotate(this.withoutOwnTables(actual, desired.schema), declared.left);
    const visible = await withMaxima(connection, withoutIgnored(there.schema, ignore), () =>
      columnsWithSequence(desired.schema),
    );
    await breathe();
    const release = releaseOf(desired);
    const stands = await readStanding(connection, this.options.journalSchema, this.claims, release);
    const wanted = withoutIgnored(desired.schema, ignore);
    const renamed = withFillsRenamed(wanted, visible, stands.fills);
    const standing = {
      ...stands,
      fills: renamed.fills,
      pins: withPinsRenamed(stands.pins, renamed.renamings),
    };
    const filled = filledColumns(wanted, renamed);
    await breathe();
    const unfilled = await readUnfilled(
      connection,
      filled.filter(({ found, isRenamed }) => found && !isRenamed),
    );
    const undos = standing.undos.filter((each) => each.changedBy === null && isAsMade(each, actual));
    const goneUndos = standing.undos
      .filter((each) => !undos.includes(each) && isLookedAt(each, schemas))
      .map(({ stepId }) => stepId);
    const differences = [
      ...(await compareInBreaths(wanted, visible)),
      ...compareFills(filled, { ...standing, unfilled }),
      ...compareUndos(inUndoOrder(undos, actual)),
      ...(await this.compareNotes(connection, desired, schemas)),
    ];
    const answers = await this.answer(connection, differences, actual, standing);
    const plan = planDifferences(differences, actual, answers, standing, this.options);
    const unread = standing.isHidden ? [describeUnread(this.options.journalSchema)] : [];
    const undeclared = [...there.left.map(describeDeclaration), ...declared.unknown];
    const warnings = [...desired.warnings, ...undeclared, ...unread];
    const { areFillsToNumber } = stands;
    const look = { ...toLook({ ...desired, warnings }, release, schemas, plan), goneUndos, areFillsToNumber };
    if (!hasRowsToWatch(desired, filled, standing)) this.settle(look, actual, standing);
    return look;
  }

  /** An answer may lead to more questions; none is asked twice. */
  private async answer(
    connection: Connection,
    differences: readonly Difference[],
    actual: Schema,
    standing: Standing,
  ): Promise<Answers> {
    const answers = new Map<Question, unknown>();
    const asked = new Set<Question>();
    for (;;) {
      const questions = questionsOf(differences, actual, answers, standing, this.options);
      const open = questions.filter((question) => !asked.has(question));
      if (open.length === 0) return answers;
      open.forEach((question) => asked.add(question));
      for (const [question, answer] of await readAnswers(connection, open)) answers.set(question, answer);
    }
  }

  /** Keeps the desired schema for the next start. The journal's schema has to be there. */
  async remember(connection: Connection, { desiredHash }: Look): Promise<void> {
    const schema = this.desired.toRemember(desiredHash);
    if (schema) await rememberSchema(connection, this.options.journalSchema, desiredHash, schema);
    this.desired.remembered(desiredHash);
  }

  /** Whether a desired schema is there that the next start should not have to build again. */
  shouldRemember({ desiredHash }: Look): boolean {
    return this.desired.toRemember(desiredHash) !== undefined;
  }

  /** It cannot be kept: it is not tried again. */
  forget({ desiredHash }: Look): void {
    this.desired.remembered(desiredHash);
  }

  private settle(look: Look, { fingerprint }: Schema, { keepsDecisions }: Standing): void {
    if (!look.isInSync || look.warnings.length > 0 || fingerprint === null) return;
    const decided = isDecided(this.options.journalSchema, keepsDecisions);
    const sql = `select (${fingerprintQuery(look.schemas)}) as fingerprint, ${decided} as decided`;
    this.settled = { look, sql, fingerprint, entities: this.dataSource.entityMetadatas, at: Date.now() };
  }

  /** Only asked for where entities need any. */
  private async compareNotes(
    connection: Connection,
    { notes }: Desired,
    schemas: readonly string[],
  ): Promise<Difference[]> {
    const wanted = notes.filter(({ schema }) => schemas.includes(schema));
    if (wanted.length === 0) return [];
    const table = notesTableOf(this.dataSource);
    return compareNotes(wanted, await readNotes(connection, table), table);
  }

  /** An entity may show the journal, but not have a table of its own in its place. */
  private assertNoEntityOfTheJournal({ tables }: Schema): void {
    const { journalSchema } = this.options;
    for (const { schema, name, columns } of tables) {
      const taken = JOURNAL_TABLES.find((each) => each === name && schema === journalSchema);
      if (taken) assertOurs({ schema, name: taken, columns: columns.map((column) => column.name) });
    }
  }

  /** TypeORM's tables and our journal's are in no entity, and yet not extra. */
  private withoutOwnTables(actual: Schema, desired: Schema): Schema {
    const journal = JOURNAL_TABLES.map((name) => ({ schema: this.options.journalSchema, name }));
    const own = new Set([...tablesLeftAlone(this.dataSource), ...journal].map(keyOf));
    for (const table of desired.tables) own.delete(keyOf(table));
    return { ...actual, tables: actual.tables.filter((table) => !own.has(keyOf(table))) };
  }
}

/** The columns that a sequence is to fill. */
function columnsWithSequence({ tables }: Schema): Set<string> {
  const filled = tables.flatMap((table) =>
    table.columns
      .filter(({ serial, identity }) => serial || identity !== null)
      .map(({ name }) => columnKey(table, name)),
  );
  return new Set(filled);
}

/** TypeORM's notes are rows, and so is what is filled again: no fingerprint of the catalog shows a change of theirs. */
function hasRowsToWatch({ notes }: Desired, filled: readonly FilledColumn[], standing: Standing): boolean {
  const isRepeated = filled.some(({ column }) => column.backfill?.repeat === 'every-run');
  return notes.length > 0 || isRepeated || awaitsLastSweep(filled, standing);
}

/** This runs inside somebody's server: its event loop is not to be held for long. */
async function compareInBreaths(desired: Schema, actual: Schema): Promise<Difference[]> {
  const differences: Difference[] = [];
  let compared = 0;
  for (const ofTable of differencesOf(desired, actual)) {
    differences.push(...ofTable);
    if (++compared % TABLES_A_BREATH === 0) await breathe();
  }
  return differences;
}

function releaseOf({ hash, schema }: Desired): Release {
  return { desiredHash: hash, tables: schema.tables.map((table) => displayName(table.schema, table.name)) };
}

function toLook(
  { warnings }: Desired,
  release: Release,
  schemas: readonly string[],
  plan: Look['plan'],
): Omit<Look, 'goneUndos' | 'areFillsToNumber'> {
  const isInSync = plan.drift.every(
    ({ disposition }) => disposition === 'extra' || disposition === 'accepted',
  );
  return { ...release, schemas, plan, warnings, isInSync };
}
