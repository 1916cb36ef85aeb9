import { EntitySchema } from 'typeorm';
import { describe, expect, onTestFinished, test } from 'vitest';
import { AutoMigrator } from '../../src/auto-migrator.js';
import type { AutoMigratorOptions } from '../../src/auto-migration.options.js';
import type { DriftKind } from '../../src/drift/drift-kind.js';
import type { Drift } from '../../src/plan/plan.js';
import { DRIFT_KINDS } from '../../src/plan/planners.js';
import { temporaryCheckName, temporaryIndexName } from '../../src/schema/temporary-names.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';
import { entities } from './entities.js';

interface KindCase {
  readonly title: string;
  /** What somebody did to the database. */
  readonly drift: string;
  readonly kind: DriftKind;
  readonly object: string;
  readonly disposition: Drift['disposition'];
  /** Part of why it is not healed. */
  readonly reason?: RegExp;
  readonly options?: AutoMigratorOptions;
  /** Findings that cannot but come along. */
  readonly besides?: readonly DriftKind[];
}

const cases: KindCase[] = [
  {
    title: 'a schema is missing, with what was in it',
    drift: 'drop schema side cascade',
    kind: 'missing-schema',
    object: 'side',
    disposition: 'heal',
    besides: ['missing-table', 'missing-table'],
  },
  {
    title: 'a table is missing',
    drift: 'drop table booking',
    kind: 'missing-table',
    object: 'public.booking',
    disposition: 'heal',
  },
  {
    title: 'a table is a view now',
    drift:
      'alter table side.audit rename to audit_base; create view side.audit as select * from side.audit_base',
    kind: 'different-relation',
    object: 'side.audit',
    disposition: 'open',
    reason: /a view stands where the entity wants a table/,
    besides: ['extra-table'],
  },
  {
    title: 'a view is missing',
    drift: 'drop view free_room',
    kind: 'missing-view',
    object: 'public.free_room',
    disposition: 'heal',
  },
  {
    title: 'a view selects something else',
    drift: `create or replace view free_room as select id, code from room where state = 'taken'`,
    kind: 'different-view',
    object: 'public.free_room',
    disposition: 'heal',
  },
  {
    title: "a table's comment was changed",
    drift: `comment on table booking is 'something else'`,
    kind: 'different-table-comment',
    object: 'public.booking',
    disposition: 'heal',
  },
  {
    title: 'rows lack what a backfill gives them',
    drift: `insert into room (code, label) values ('1', 'one')`,
    kind: 'unfilled-column',
    object: 'public.room.seen',
    disposition: 'heal',
    options: { backfills: [{ table: 'room', column: 'seen', expression: `'2026-01-01'` }] },
  },
  {
    title: 'a column is missing',
    drift: 'alter table side.audit drop column note',
    kind: 'missing-column',
    object: 'side.audit.note',
    disposition: 'heal',
  },
  {
    title: 'a type is narrower',
    drift: 'alter table room alter label type varchar(10)',
    kind: 'different-type',
    object: 'public.room.label',
    disposition: 'heal',
  },
  {
    title: 'a type is the same without its limit',
    drift: 'alter table side.pair alter c type text',
    kind: 'different-type',
    object: 'side.pair.c',
    disposition: 'heal',
  },
  {
    title: 'a type is wider, and values do not fit any more',
    drift: `alter table room alter label type text; insert into room (code, label) values ('1', repeat('x', 41)), ('2', 'fits')`,
    kind: 'different-type',
    object: 'public.room.label',
    disposition: 'open',
    reason: /1 value does not fit/,
  },
  {
    title: 'a type is another, and all values fit',
    drift:
      'alter table side.audit add column later uuid; alter table side.audit drop column later; alter table side.audit alter note type varchar using note::varchar; alter table room alter floor type bigint',
    kind: 'different-type',
    object: 'public.room.floor',
    disposition: 'open',
    reason: /its values fit/,
    besides: ['different-type'],
  },
  {
    title: 'a default was changed',
    drift: 'alter table room alter floor set default 2',
    kind: 'different-default',
    object: 'public.room.floor',
    disposition: 'heal',
  },
  {
    title: 'a default waits for a type that stays another',
    drift: `alter table side.pair alter d drop default, alter d type jsonb using to_jsonb(d), alter d set default '{}'`,
    kind: 'different-default',
    object: 'side.pair.d',
    disposition: 'open',
    reason: /^it builds on the type text, which stays open$/,
    besides: ['different-type'],
  },
  {
    title: 'NOT NULL is missing, and no row is NULL',
    drift: 'alter table room alter label drop not null',
    kind: 'different-nullability',
    object: 'public.room.label',
    disposition: 'heal',
  },
  {
    title: 'NOT NULL is missing, and a row is NULL',
    drift: `alter table room alter label drop not null; insert into room (code) values ('1')`,
    kind: 'different-nullability',
    object: 'public.room.label',
    disposition: 'open',
    reason: /rows have NULL in it/,
  },
  {
    title: 'NOT NULL is more than wanted',
    drift: 'alter table room alter seen set not null',
    kind: 'different-nullability',
    object: 'public.room.seen',
    disposition: 'heal',
  },
  {
    title: 'a generated column is a plain one',
    drift: 'alter table room alter area drop expression',
    kind: 'different-generation',
    object: 'public.room.area',
    disposition: 'open',
    reason: /where its values come from/,
  },
  {
    title: 'an identity is of the other kind',
    drift: 'alter table booking alter id set generated by default',
    kind: 'different-generation',
    object: 'public.booking.id',
    disposition: 'open',
  },
  {
    title: 'an identity where a serial is wanted fills the column just the same',
    drift: `alter table room alter id drop default; drop sequence room_id_seq; alter table room alter id add generated by default as identity`,
    kind: 'different-generation',
    object: 'public.room.id',
    disposition: 'accepted',
  },
  {
    title: 'a collation is another',
    drift:
      'drop view free_room; alter table room alter code type varchar(20) collate "POSIX"; create view free_room as select id, code from room where state = \'free\'',
    kind: 'different-collation',
    object: 'public.room.code',
    disposition: 'open',
    reason: /collation/,
  },
  {
    title: "a column's comment is gone",
    drift: 'comment on column room.label is null',
    kind: 'different-comment',
    object: 'public.room.label',
    disposition: 'heal',
  },
  {
    title: 'an enum lacks a value',
    drift: `drop view free_room; alter table room alter state drop default; alter type room_state rename to old;
      create type room_state as enum ('free'); alter table room alter state type room_state using 'free'; drop type old;
      alter table room alter state set default 'free'; create view free_room as select id, code from room where state = 'free'`,
    kind: 'different-enum',
    object: 'public.room_state',
    disposition: 'heal',
  },
  {
    title: 'an enum is called something else',
    drift: 'alter type room_state rename to "STATE_OF_ROOM"',
    kind: 'named-differently',
    object: 'public.STATE_OF_ROOM',
    disposition: 'accepted',
  },
  {
    title: 'an enum has a value too many',
    drift: `alter type room_state add value 'broken'`,
    kind: 'different-enum',
    object: 'public.room_state',
    disposition: 'open',
  },
  {
    title: 'a sequence does not belong to its column any more',
    drift: 'alter sequence room_id_seq owned by none',
    kind: 'detached-sequence',
    object: 'public.room.id',
    disposition: 'heal',
  },
  {
    title: "a sequence belongs to another's column",
    drift: 'alter sequence room_id_seq owned by booking.room_id',
    kind: 'detached-sequence',
    object: 'public.room.id',
    disposition: 'open',
    reason: /belongs to another column/,
  },
  {
    title: 'a sequence is behind, as after an import',
    drift: `insert into room (id, code, label) select g, g, g from generate_series(1, 50) g`,
    kind: 'sequence-behind',
    object: 'public.room.id',
    disposition: 'heal',
  },
  {
    title: "an identity's sequence is behind",
    drift: `insert into booking (id) overriding system value values (7)`,
    kind: 'sequence-behind',
    object: 'public.booking.id',
    disposition: 'heal',
  },
  {
    title: 'a sequence is nearly used up',
    drift: `insert into room (code, label) values ('1', '1'); select setval('room_id_seq', 2000000000)`,
    kind: 'sequence-near-limit',
    object: 'public.room.id',
    disposition: 'open',
    reason: /refuse inserts at 2147483647/,
  },
  {
    title: 'a foreign key is missing',
    drift: 'alter table booking drop constraint booking_room',
    kind: 'missing-constraint',
    object: 'public.booking.booking_room',
    disposition: 'heal',
  },
  {
    title: 'a foreign key is missing, and rows point to nothing',
    drift: `alter table booking drop constraint booking_room; insert into booking (room_id) values (99)`,
    kind: 'missing-constraint',
    object: 'public.booking.booking_room',
    disposition: 'open',
    reason: /violated by 1 row with nothing to point to/,
  },
  {
    title: 'a foreign key deletes differently',
    drift:
      'alter table booking drop constraint booking_room, add constraint booking_room foreign key (room_id) references room',
    kind: 'different-constraint',
    object: 'public.booking.booking_room',
    disposition: 'heal',
  },
  {
    title: 'a check has another text under the same name',
    drift:
      'alter table room drop constraint room_floor_check, add constraint room_floor_check check (floor >= 1)',
    kind: 'different-constraint',
    object: 'public.room.room_floor_check',
    disposition: 'heal',
  },
  {
    title: 'a unique has its columns in another order',
    drift: 'alter table side.pair drop constraint pair_unique, add constraint pair_unique unique (a, b)',
    kind: 'different-constraint',
    object: 'side.pair.pair_unique',
    disposition: 'heal',
  },
  {
    title: 'a primary key has its columns in another order, which promises the same',
    drift: 'alter table side.pair drop constraint pair_key, add constraint pair_key primary key (b, a)',
    kind: 'different-constraint',
    object: 'side.pair.pair_key',
    disposition: 'accepted',
  },
  {
    title: 'a primary key has other columns',
    drift: 'alter table side.pair drop constraint pair_key, add constraint pair_key primary key (a)',
    kind: 'different-constraint',
    object: 'side.pair.pair_key',
    disposition: 'open',
    reason: /the primary key would change/,
  },
  {
    title: 'a unique is deferrable',
    drift:
      'alter table room drop constraint room_code_unique, add constraint room_code_unique unique (code) deferrable',
    kind: 'different-constraint',
    object: 'public.room.room_code_unique',
    disposition: 'heal',
  },
  {
    title: 'a constraint was never validated',
    drift:
      'alter table room drop constraint room_floor_check, add constraint room_floor_check check (floor >= 0) not valid',
    kind: 'unvalidated-constraint',
    object: 'public.room.room_floor_check',
    disposition: 'heal',
  },
  {
    title: "a foreign key's triggers are disabled",
    drift: 'alter table booking disable trigger all',
    kind: 'disabled-constraint',
    object: 'public.booking.booking_room',
    disposition: 'open',
    reason: /does not enforce it/,
  },
  {
    title: 'an index is missing',
    drift: 'drop index room_seen',
    kind: 'missing-index',
    object: 'public.room_seen',
    disposition: 'heal',
  },
  {
    title: 'an index has another predicate under the same name',
    drift: 'drop index room_upper; create index room_upper on room (floor) where floor > 4',
    kind: 'different-index',
    object: 'public.room_upper',
    disposition: 'heal',
  },
  {
    title: 'an index is INVALID',
    drift: `update pg_index set indisvalid = false where indexrelid = 'room_seen'::regclass`,
    kind: 'invalid-index',
    object: 'public.room_seen',
    disposition: 'heal',
  },
  {
    title: 'an index is not ready',
    drift: `update pg_index set indisready = false, indisvalid = false where indexrelid = 'room_seen'::regclass`,
    kind: 'invalid-index',
    object: 'public.room_seen',
    disposition: 'heal',
  },
  {
    title: 'an index is called something else',
    drift: 'alter index room_seen rename to seen_of_rooms',
    kind: 'named-differently',
    object: 'public.seen_of_rooms',
    disposition: 'accepted',
  },
  {
    title: 'an index is called something else, and names are to be aligned',
    drift: 'alter index room_seen rename to seen_of_rooms',
    options: { names: 'align' },
    kind: 'named-differently',
    object: 'public.seen_of_rooms',
    disposition: 'heal',
  },
  {
    title: 'a constraint is called something else, and names are to be aligned',
    drift: 'alter table booking rename constraint booking_room to fk_1',
    options: { names: 'align' },
    kind: 'named-differently',
    object: 'public.booking.fk_1',
    disposition: 'heal',
  },
  {
    title: 'a name that is wanted is taken',
    drift: 'alter index room_seen rename to seen_of_rooms; create table room_seen ()',
    options: { names: 'align' },
    kind: 'named-differently',
    object: 'public.seen_of_rooms',
    disposition: 'open',
    reason: /taken by something else/,
    besides: ['extra-table'],
  },
  {
    title: "TypeORM's note about a generated column is missing",
    drift: `delete from typeorm_metadata where type = 'GENERATED_COLUMN'`,
    kind: 'missing-note',
    object: 'public.room.area',
    disposition: 'heal',
  },
  {
    title: 'a column that nothing fills and only the database has',
    drift: 'alter table side.audit add column must integer not null',
    kind: 'required-extra-column',
    object: 'side.audit.must',
    disposition: 'open',
    reason: /inserts fail/,
  },
  {
    title: 'a table that only the database has',
    drift: 'create table report (id integer)',
    kind: 'extra-table',
    object: 'public.report',
    disposition: 'extra',
  },
  {
    title: 'a view that only the database has',
    drift: 'create materialized view report as select 1 as one',
    kind: 'extra-view',
    object: 'public.report',
    disposition: 'extra',
  },
  {
    title: 'a column that only the database has',
    drift: 'alter table side.audit add column more text',
    kind: 'extra-column',
    object: 'side.audit.more',
    disposition: 'extra',
  },
  {
    title: 'a constraint that only the database has',
    drift: 'alter table side.audit add constraint positive check (id > 0)',
    kind: 'extra-constraint',
    object: 'side.audit.positive',
    disposition: 'extra',
  },
  {
    title: 'a temporary check of a run that died',
    drift: `alter table side.audit add constraint ${temporaryCheckName('x')} check (note is not null) not valid`,
    kind: 'leftover-constraint',
    object: `side.audit.${temporaryCheckName('x')}`,
    disposition: 'heal',
  },
  {
    title: 'a temporary index of a run that died',
    drift: `create index ${temporaryIndexName('x')} on side.audit (note)`,
    kind: 'leftover-index',
    object: `side.${temporaryIndexName('x')}`,
    disposition: 'heal',
  },
  {
    title: 'an index that only the database has',
    drift: 'create index by_note on side.audit (note)',
    kind: 'extra-index',
    object: 'side.by_note',
    disposition: 'extra',
  },
];

/** Made in test/desired, test/fill, test/renames and test/rollback, where entities that ask for them are. */
const ELSEWHERE: readonly DriftKind[] = [
  'refused-entity',
  'missing-extension',
  'missing-enum',
  'renamed-table',
  'renamed-column',
  'unfilled-column',
  'undo',
];

const synchronized = await createTestDatabase();
await synchronized.query('create schema side');
const writer = await openDataSource(synchronized.url, entities);
await writer.synchronize();
await writer.destroy();

/** As TypeORM has made it. The same one again and again would carry one drift into the next case. */
async function freshDatabase(): Promise<TestDatabase> {
  const database = await createTestDatabase({ template: synchronized });
  onTestFinished(() => database.drop());
  return database;
}

describe('each kind of drift is found, alone, and healed if it may be', () => {
  test.each(cases)('$kind: $title', async (each) => {
    const { drift, kind, object, disposition, reason = /^/, options = {}, besides = [] } = each;
    const database = await freshDatabase();
    await database.query(drift);
    const dataSource = await openDataSource(database.url, entities);
    const migrator = new AutoMigrator(dataSource, { execution: 'online', ...options });

    const report = await migrator.check();
    const found = report.drift.map((item) => `${item.kind} ${item.object} ${item.disposition}`);
    expect(found).toContain(`${kind} ${object} ${disposition}`);
    expect(report.drift.map((item) => item.kind).toSorted()).toEqual([kind, ...besides].toSorted());
    const finding = report.drift.find((item) => item.kind === kind && item.object === object);
    expect(finding?.reason ?? '').toMatch(reason);

    const healed = await migrator.heal();
    expect(healed.failed).toEqual([]);
    const after = await migrator.check();
    const left = after.drift.filter((item) => item.kind === kind && item.object === object);
    expect(left.map((item) => item.disposition)).toEqual(disposition === 'heal' ? [] : [disposition]);
    await dataSource.destroy();
  });

  test('and no kind is without a case', () => {
    const covered = new Set<string>([...cases.map(({ kind }) => kind), ...ELSEWHERE]);
    expect(DRIFT_KINDS.filter((kind) => !covered.has(kind))).toEqual([]);
  });
});

describe('a new enum value that is the new default', () => {
  test.each(['online', 'atomic'] as const)('%s', async (execution) => {
    const withStates = (...states: [string, ...string[]]): EntitySchema =>
      new EntitySchema({
        name: 'lamp',
        columns: {
          id: { type: 'integer', primary: true },
          state: { type: 'enum', enum: states, default: states.at(-1) },
        },
      });
    const database = await createTestDatabase();
    onTestFinished(() => database.drop());
    const before = await openDataSource(database.url, [withStates('off', 'on')]);
    await before.synchronize();
    const after = await openDataSource(database.url, [withStates('off', 'dim', 'on', 'broken')]);
    const migrator = new AutoMigrator(after, { execution });
    expect(await migrator.heal()).toMatchObject({ outcome: 'healed', open: [], failed: [] });
    expect(await migrator.check()).toMatchObject({ verdict: 'in-sync' });
  });
});

describe('what is no drift', () => {
  test.each([
    'alter table room set (fillfactor = 70)',
    'alter index room_seen set (fillfactor = 70)',
    'alter table room alter label set statistics 500',
    'alter table room alter label set storage external',
    'create role bystander; grant select on room to bystander; drop owned by bystander; drop role bystander',
    `create function touch() returns trigger language plpgsql as 'begin return new; end';
     create trigger touched before update on room for each row execute function touch()`,
    'alter table room enable row level security; create policy everybody on room using (true)',
    'create statistics room_stats on floor, seen from room',
    'create table elsewhere (id integer) partition by range (id); drop table elsewhere',
    'alter table side.audit drop column note; alter table side.audit add column note text',
    'create temporary table room (id text)',
    `update typeorm_metadata set database = 'of another name'`,
    'cluster room using room_seen',
    'create extension hstore',
    // Of others, in the same schema; pg_stat_statements brings views along.
    'create sequence counter',
    'create extension pg_trgm; create extension if not exists pg_stat_statements',
    'create schema theirs; create table theirs.room (id text); create table theirs.audit (note integer)',
    'create domain grade as integer; create function one() returns integer language sql return 1',
    `create extension file_fdw; create server files foreign data wrapper file_fdw;
     create foreign table outside (line text) server files options (filename '/dev/null')`,
  ])('%s', async (sql) => {
    const database = await freshDatabase();
    await database.query(sql);
    const dataSource = await openDataSource(database.url, entities);
    expect(await new AutoMigrator(dataSource).check()).toMatchObject({ verdict: 'in-sync', drift: [] });
    await dataSource.destroy();
  });
});
