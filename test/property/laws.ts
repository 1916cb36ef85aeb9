import type { DataSource } from 'typeorm';
import { AutoMigrator } from '../../src/auto-migrator.js';
import type { HealReport } from '../../src/heal/heal-report.js';
import type { Drift } from '../../src/plan/plan.js';
import type { Execution } from '../../src/plan/proposal.js';
import { catalogOf, notesOf } from '../laws/catalog.js';
import type { TestDatabase } from '../setup/database.js';
import type { Design } from './design.js';
import { openDesign } from './entities.js';
import { insertRows, valuesIn } from './rows.js';

/** Cheaper than a database of its own for each run. */
export async function empty(database: TestDatabase): Promise<void> {
  await database.query(`set client_min_messages = error;
    drop schema if exists public, sales, auto_migration cascade; create schema public; create schema sales`);
}

async function withDesign<Value>(
  database: TestDatabase,
  design: Design,
  task: (dataSource: DataSource) => Promise<Value>,
): Promise<Value> {
  const dataSource = await openDesign(database.url, design);
  try {
    return await task(dataSource);
  } finally {
    await dataSource.destroy();
  }
}

const wishesOfTypeOrm = async (dataSource: DataSource): Promise<string[]> =>
  (await dataSource.driver.createSchemaBuilder().log()).upQueries.map(({ query }) => query);

/** What synchronize makes of a design on an empty database, and what TypeORM itself would never rest about. */
async function synchronized(database: TestDatabase, design: Design) {
  await empty(database);
  return withDesign(database, design, async (dataSource) => {
    await dataSource.synchronize();
    return {
      catalog: await catalogOf(database),
      notes: await notesOf(database),
      wishes: await wishesOfTypeOrm(dataSource),
    };
  });
}

/** Heal makes of an empty database what synchronize would have made, and TypeORM rests about it as far as it ever does. */
export async function healEqualsSynchronize(
  database: TestDatabase,
  design: Design,
  execution: Execution,
): Promise<void> {
  const expected = await synchronized(database, design);
  await empty(database);
  await withDesign(database, design, async (dataSource) => {
    const report = await new AutoMigrator(dataSource, { execution }).heal();
    none('failures', failuresOf(report));
    none('open findings', report.open.map(describe));
    same('catalog', await catalogOf(database), expected.catalog);
    same('notes of TypeORM', await notesOf(database), expected.notes);
    same('wishes of TypeORM', await wishesOfTypeOrm(dataSource), expected.wishes);
  });
}

export interface Evolution {
  readonly before: Design;
  readonly after: Design;
  readonly inserts: readonly string[];
  readonly execution: Execution;
}

/**
 * A database of one design is brought to another: what stays is what was declared to stay, no value changes, and there
 * is nothing to do a second time.
 */
export async function healConverges(database: TestDatabase, evolution: Evolution): Promise<void> {
  const { before, after, inserts, execution } = evolution;
  await empty(database);
  await withDesign(database, before, async (dataSource) => {
    await dataSource.synchronize();
    const { drift, error } = await new AutoMigrator(dataSource).check();
    none('errors of a check', [error]);
    none('findings after synchronize', drift.map(describe));
  });
  await insertRows(database, inserts);
  const values = await valuesIn(database, before);
  const left = await withDesign(database, after, async (dataSource) => {
    const migrator = new AutoMigrator(dataSource, { execution });
    const declared = await migrator.check();
    none('errors of the check before', [declared.error]);
    none('failures', failuresOf(await migrator.heal()));
    const { drift, error } = await migrator.check();
    none('errors of the check after', [error]);
    const undeclared = drift.filter((finding) => !isDeclared(finding, declared.drift));
    none('findings that were not declared', undeclared.map(describe));
    const again = await migrator.heal();
    none(
      'steps of a second heal',
      again.applied.map(({ sql }) => sql),
    );
    none('failures of a second heal', failuresOf(again));
    return { drift, wishes: drift.length === 0 ? await wishesOfTypeOrm(dataSource) : [] };
  });
  same('values', await valuesIn(database, before), values);
  if (left.wishes.length > 0) {
    const { wishes } = await synchronized(database, after);
    none(
      'wishes of TypeORM',
      left.wishes.filter((wish) => !wishes.includes(wish) && !takesCommentAway(wish)),
    );
  }
}

/** A comment that only the database has stays, and is no finding. */
function takesCommentAway(wish: string): boolean {
  return /^COMMENT ON [^']* IS NULL$/.test(wish);
}

/** Whether the plan had said that this would stay. */
function isDeclared(finding: Drift, declared: readonly Drift[]): boolean {
  return (
    finding.disposition !== 'heal' &&
    declared.some(
      ({ kind, object, disposition }) =>
        kind === finding.kind && object === finding.object && disposition === finding.disposition,
    )
  );
}

const failuresOf = ({ failed, error }: HealReport): string[] => [
  ...failed.map(({ action, sql, error: message }) => `${action}: ${sql}\n    ${message}`),
  ...(error === null ? [] : [error]),
];

const describe = ({ kind, object, disposition, desired, actual, reason }: Drift): string =>
  `${disposition} ${kind} ${object}: wanted ${desired}, found ${actual}${reason === null ? '' : ` (${reason})`}`;

/** @throws with all of them in the message, so that a counter-example tells what is wrong */
function none(what: string, items: readonly (string | null)[]): void {
  const told = items.filter((item) => item !== null);
  if (told.length > 0) throw new Error([`${what}:`, ...told].join('\n  '));
}

function same(what: string, found: readonly string[], wanted: readonly string[]): void {
  none(`${what} too many`, without(found, wanted));
  none(`${what} too few`, without(wanted, found));
}

/** Each as often as it is there. */
function without(items: readonly string[], others: readonly string[]): string[] {
  const left = [...others];
  return items.filter((item) => {
    const i = left.indexOf(item);
    if (i >= 0) left.splice(i, 1);
    return i < 0;
  });
}
