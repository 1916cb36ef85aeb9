import { EntitySchema, type EntitySchemaColumnOptions, type EntitySchemaOptions } from 'typeorm';
import { expect } from 'vitest';
import type { AutoMigratorOptions } from '../../src/auto-migration.options.js';
import { AutoMigrator } from '../../src/auto-migrator.js';
import type { Drift } from '../../src/plan/plan.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';

type Columns = Record<string, EntitySchemaColumnOptions>;
type Options = Partial<EntitySchemaOptions<Record<string, unknown>>>;

export const TEXT = { type: 'text', nullable: true } as const;

export function table(name: string, columns: Columns = {}, more: Options = {}): EntitySchema {
  const id = { type: 'integer', primary: true, primaryKeyConstraintName: `${name}_pkey` } as const;
  return new EntitySchema({ name, ...more, columns: { id, ...columns } });
}

export const lift = (columns: Columns, more?: Options): EntitySchema => table('lift', columns, more);

/** A view. */
export function lifts(expression: string, columns: Columns): EntitySchema {
  return new EntitySchema({ name: 'lifts', type: 'view', expression, columns });
}

/** A database with a table of two rows. */
export async function hotel(more = ''): Promise<TestDatabase> {
  const database = await createTestDatabase();
  await database.query(
    `create table lift (id integer constraint lift_pkey primary key); insert into lift values (1), (2); ${more}`,
  );
  return database;
}

/** A release, of which no other one's process is there any more. */
export async function release(
  database: TestDatabase,
  entities: readonly (EntitySchema | (new () => object))[],
  options: AutoMigratorOptions = {},
): Promise<AutoMigrator> {
  const claims = `do $$ begin
    if to_regclass('auto_migration.claim') is not null then
      update auto_migration.claim set last_seen_at = clock_timestamp() - interval '1 hour'; end if; end $$`;
  await database.query(claims);
  return new AutoMigrator(await openDataSource(database.url, [...entities]), {
    execution: 'online',
    ...options,
  });
}

/** Heals, and answers with the run. */
export async function healedRun(migrator: AutoMigrator): Promise<string> {
  const { runId, outcome } = await migrator.heal();
  expect(outcome).toBe('healed');
  return runId ?? '';
}

/** Approves all that is open, or extra. */
export async function approveAll(migrator: AutoMigrator): Promise<void> {
  await approveWhere(migrator, () => true);
}

/** Approves what is still to be taken back. */
export async function approveUndo(migrator: AutoMigrator): Promise<void> {
  await approveWhere(migrator, ({ kind }) => kind === 'undo');
}

async function approveWhere(migrator: AutoMigrator, isMeant: (drift: Drift) => boolean): Promise<void> {
  const { drift } = await migrator.check();
  const ids = drift.filter(isMeant).map(({ id }) => id);
  expect(await migrator.approve(ids, 'bob')).toMatchObject({ refused: [] });
}

export function sqlOf({ applied }: { readonly applied: readonly { readonly sql: string }[] }): string[] {
  return applied.map(({ sql }) => sql);
}

export function reasonsOf({
  open,
}: {
  readonly open: readonly { readonly reason: string | null }[];
}): string[] {
  return open.map(({ reason }) => reason ?? '');
}
