import type { EntitySchemaColumnOptions } from 'typeorm';

interface WantedView {
  readonly name: string;
  readonly expression: string;
  readonly materialized?: boolean;
}

/** A change of views, or of a column below them. */
export interface ViewCase {
  readonly title: string;
  /** Over `$table (id integer primary key, a varchar(10), n integer)`. */
  readonly legacy: string;
  readonly views: readonly WantedView[];
  /** Where the columns are to be others. */
  readonly columns?: Record<string, EntitySchemaColumnOptions>;
  /** What is done, in order; what the views keep is looked at apart. */
  readonly steps?: readonly string[];
  /** Why nothing is done. */
  readonly reason?: string;
  /** What kind of reason that is, where nobody's word does away with it. */
  readonly hazard?: 'waits';
}

const whole = 'create view $table_v as select id, a, n from $table;';
const narrow: WantedView = { name: '$table_v', expression: 'select id, a from $table' };
const same: WantedView = { name: '$table_v', expression: 'select id, a, n from $table' };
const longer = { a: { type: 'varchar', length: 20, nullable: true } } as const;
const wider = { n: { type: 'bigint', nullable: true } } as const;
const remade = ['drop view', 'create view'];
const lost = (what: string, isPlural = false): string =>
  `${what} ${isPlural ? 'depend' : 'depends'} on it and would be lost, as no entity asks for it; drop it first, or change both by hand`;

const refused = (what: string, isPlural = false): string =>
  `${what} ${isPlural ? 'depend' : 'depends'} on it, and PostgreSQL refuses to change what that reads; drop it first, or change both by hand`;

const HEALED: ViewCase[] = [
  {
    title: 'a view of whole rows keeps no column from being longer',
    legacy: 'create view $table_by_hand as select s as whole from $table s;',
    views: [],
    columns: longer,
    steps: ['change type'],
  },
  {
    title: 'a view that gets a column more is replaced in place',
    legacy: 'create view $table_v as select id, a from $table;',
    views: [same],
    steps: ['replace view'],
  },
  {
    title: 'a view that loses a column keeps its options, comments and grants',
    legacy: `create view $table_v with (security_barrier=true) as select id, a, n from $table;
      comment on view $table_v is 'it''s \\ kept'; comment on column $table_v.a is 'too';
      comment on column $table_v.n is 'goes with its column';
      grant select, update on $table_v to pg_monitor with grant option; grant insert on $table_v to public;
      grant select (id) on $table_v to pg_read_all_stats; grant select (n) on $table_v to pg_read_all_stats;`,
    views: [narrow],
    steps: remade,
  },
  {
    title: 'a view whose columns change places, with views on views on it',
    legacy: `${whole} create view $table_w as select id, upper(a) as a from $table_v;
      create view $table_x as select w.id from $table_w w join $table_v v on v.id = w.id;
      comment on view $table_w is 'kept'; grant select on $table_x to public;`,
    views: [
      { name: '$table_v', expression: 'select n, a, id from $table' },
      { name: '$table_w', expression: 'select id, upper(a) as a from $table_v' },
      { name: '$table_x', expression: 'select w.id from $table_w w join $table_v v on v.id = w.id' },
    ],
    steps: ['drop view', 'drop view', 'drop view', 'create view', 'create view', 'create view'],
  },
  {
    title: 'a materialized view keeps its indexes',
    legacy: `create materialized view $table_v as select id, a, n from $table;
      create unique index $table_v_id on $table_v (id); create index $table_v_upper on $table_v (upper(a));
      comment on materialized view $table_v is 'kept'; grant select on $table_v to pg_monitor;`,
    views: [{ name: '$table_v', expression: 'select id, a, n from $table where n > 0', materialized: true }],
    steps: ['drop materialized view', 'create materialized view'],
  },
  {
    title: 'a materialized view on a view',
    legacy: `${whole} create materialized view $table_w as select id from $table_v; create index on $table_w (id);`,
    views: [narrow, { name: '$table_w', expression: 'select id from $table_v', materialized: true }],
    steps: ['drop materialized view', 'drop view', 'create view', 'create materialized view'],
  },
  {
    title: 'a longer text below views',
    legacy: `${whole} create view $table_w as select a from $table_v; grant select on $table_w to public;
      create view $table_x as select id from $table;`,
    views: [
      same,
      { name: '$table_w', expression: 'select a from $table_v' },
      { name: '$table_x', expression: 'select id from $table' },
    ],
    columns: longer,
    steps: ['drop view', 'drop view', 'change type', 'create view', 'create view'],
  },
  {
    title: 'a wider number below a view',
    legacy: whole,
    views: [same],
    columns: wider,
    steps: ['drop view', 'change type', 'create view'],
  },
];

const OPEN: ViewCase[] = [
  {
    title: 'a view that no entity asks for is on it',
    legacy: `${whole} create view $table_by_hand as select id from $table_v;`,
    views: [narrow],
    reason: lost('view public.$table_by_hand'),
  },
  {
    title: 'a rule uses it',
    legacy: `${whole} create rule noted as on update to $table do also select count(*) from $table_v;`,
    views: [narrow],
    reason: refused('rule noted on table public.$table'),
    hazard: 'waits',
  },
  {
    title: 'a policy uses it',
    legacy: `${whole} create policy seen on $table using (exists (select from $table_v));`,
    views: [narrow],
    reason: refused('policy seen on table public.$table'),
    hazard: 'waits',
  },
  {
    title: 'a function uses it, and another its rows',
    legacy: `${whole} create function $table_f() returns bigint begin atomic select count(*) from $table_v; end;
      create function $table_g(public.$table_v) returns integer language sql as 'select 1';`,
    views: [narrow],
    reason: refused('function public.$table_f(), function public.$table_g(public.$table_v)', true),
    hazard: 'waits',
  },
  {
    title: 'a trigger is on it',
    legacy: `${whole} create function $table_t() returns trigger language plpgsql as 'begin return new; end';
      create trigger written instead of insert on $table_v for each row execute function $table_t();`,
    views: [narrow],
    reason: refused('trigger written on view public.$table_v'),
    hazard: 'waits',
  },
  {
    title: 'a generated column is computed from a column that is to be wider',
    legacy: 'alter table $table add twice integer generated always as (n * 2) stored;',
    views: [],
    columns: wider,
    reason: refused('column twice of table public.$table'),
    hazard: 'waits',
  },
  {
    title: 'the type of its row is a column of another table',
    legacy: 'create table $table_by_hand (whole $table);',
    views: [],
    columns: longer,
    reason: refused('column whole of table public.$table_by_hand'),
    hazard: 'waits',
  },
  {
    title: 'a column is inherited',
    legacy: 'create table $table_by_hand (a varchar(10)); alter table $table inherit $table_by_hand;',
    views: [],
    columns: longer,
    reason: refused('the column that it is inherited from, of table public.$table_by_hand,'),
    hazard: 'waits',
  },
  {
    title: 'a trigger looks at a column that is to be longer',
    legacy: `create function $table_t() returns trigger language plpgsql as 'begin return new; end';
      create trigger changed before update of a on $table for each row execute function $table_t();`,
    views: [],
    columns: longer,
    reason: refused('trigger changed on table public.$table'),
    hazard: 'waits',
  },
];

export const VIEW_CASES: readonly ViewCase[] = [...HEALED, ...OPEN];
