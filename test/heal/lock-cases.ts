import type { EntitySchemaColumnOptions, EntitySchemaOptions } from 'typeorm';
import type { Execution } from '../../src/plan/proposal.js';
import { temporaryIndexName } from '../../src/schema/temporary-names.js';
import { PARTITIONED } from './partitioned-table.js';

type Entity = Partial<Omit<EntitySchemaOptions<Record<string, unknown>>, 'name'>>;

/** A change of a table, and what each of its steps costs those who use the table meanwhile. */
export interface LockCase {
  readonly title: string;
  /** Of the column `a` as it is: `varchar(10) default 'x'`; null where the table has none. */
  readonly is: string | null;
  /** The value that stands in it. */
  readonly value?: string;
  /** More SQL, with `$table` for the table's name. */
  readonly also?: string;
  /** The column `a` as the entity wants it; null where it wants none. */
  readonly wanted: EntitySchemaColumnOptions | null;
  readonly entity?: Entity;
  /** SQL that makes the table, and the entity's columns, where they are quite others. */
  readonly own?: { readonly legacy: string; readonly columns: Record<string, EntitySchemaColumnOptions> };
  /** Views that entities ask for, by name. */
  readonly views?: Record<string, string>;
  readonly execution?: Execution;
  /** Whether the table counts as large. */
  readonly isLarge?: boolean;
  readonly disposition: 'heal' | 'open';
  /**
   * `action: strongest lock on the table or an index of it`, and whether the table gets a new file (rewrites) or is read
   * whole under that lock (scans).
   */
  readonly steps: string[];
}

const AE = 'ACCESS EXCLUSIVE';
const SUE = 'SHARE UPDATE EXCLUSIVE';
const retype = { inPlace: [`change type: ${AE}`], byRewrite: [`change type: ${AE}, rewrites`] };
const added = { inPlace: [`add column: ${AE}`], byRewrite: [`add column: ${AE}, rewrites`] };

const required = [
  `drop the temporary check: ${AE}`,
  `add a temporary check: ${AE}`,
  `validate the temporary check: ${SUE}, scans`,
  `set not null: ${AE}`,
  `drop the temporary check: ${AE}`,
];
/** No rewrite: the column comes empty, its rows are filled, and only then it is NOT NULL. */
const filledLater = {
  byDefault: [`add column: ${AE}`, `set default: ${AE}`, 'fill: ROW EXCLUSIVE', ...required],
  bySequence: [
    `add column: ${AE}`,
    'create sequence: NONE',
    `set default: ${AE}`,
    'fill: ROW EXCLUSIVE',
    ...required,
  ],
  byIdentity: [
    `add column: ${AE}`,
    'create sequence: NONE',
    `set default: ${AE}`,
    'fill: ROW EXCLUSIVE',
    ...required,
    `drop default: ${AE}`,
    'free the sequence: NONE',
    `add identity: ${AE}`,
    'set the sequence: NONE',
    'drop the sequence: NONE',
  ],
};

type TypeCase = [is: string, wanted: EntitySchemaColumnOptions, value: string];

const WIDENED: TypeCase[] = [
  ['varchar(10)', { type: 'varchar', length: 20 }, 'x'],
  ['varchar(10)', { type: 'varchar' }, 'x'],
  ['varchar(10)', { type: 'text' }, 'x'],
  ['text', { type: 'varchar' }, 'x'],
  ['numeric(10,2)', { type: 'numeric', precision: 12, scale: 2 }, '1.25'],
  ['numeric(10,2)', { type: 'numeric' }, '1.25'],
  ['timestamp(3)', { type: 'timestamp', precision: 6 }, '2026-01-01'],
  ['timestamp(3)', { type: 'timestamp' }, '2026-01-01'],
  ['timestamptz(0)', { type: 'timestamptz', precision: 3 }, '2026-01-01'],
  ['time(0)', { type: 'time', precision: 3 }, '10:00'],
  ['interval(0)', { type: 'interval', precision: 3 }, '1 day'],
  ['varbit(5)', { type: 'varbit', length: 10 }, '101'],
  ['cidr', { type: 'inet' }, '10.0.0.0/8'],
];

const WIDENED_BY_REWRITE: TypeCase[] = [
  ['smallint', { type: 'integer' }, '1'],
  ['smallint', { type: 'bigint' }, '1'],
  ['integer', { type: 'bigint' }, '1'],
  ['integer', { type: 'numeric' }, '1'],
  ['bigint', { type: 'numeric' }, '1'],
  ['real', { type: 'double precision' }, '1.5'],
];

const REWRITTEN: TypeCase[] = [
  ['integer', { type: 'text' }, '1'],
  ['integer', { type: 'smallint' }, '1'],
  ['bigint', { type: 'double precision' }, '1'],
  ['numeric', { type: 'bigint' }, '1'],
  ['varchar(20)', { type: 'varchar', length: 10 }, 'x'],
  ['text', { type: 'varchar', length: 10 }, 'x'],
  ['char(5)', { type: 'text' }, 'x'],
  ['numeric(10,2)', { type: 'numeric', precision: 12, scale: 3 }, '1.25'],
  ['numeric(10,2)', { type: 'numeric', precision: 8, scale: 2 }, '1.25'],
  ['timestamp(6)', { type: 'timestamp', precision: 3 }, '2026-01-01'],
  ['timestamp', { type: 'timestamptz' }, '2026-01-01'],
  ['json', { type: 'jsonb' }, '{}'],
  ['uuid', { type: 'text' }, '00000000-0000-0000-0000-000000000000'],
  ['varchar(10)[]', { type: 'varchar', length: 20, array: true }, '{x}'],
];

function typeCase(
  [is, wanted, value]: TypeCase,
  disposition: LockCase['disposition'],
  steps: string[],
): LockCase {
  const { type, length, precision, scale, array } = wanted;
  const limit = [length ?? precision, scale].filter((each) => each !== undefined);
  const title = `${is} to ${String(type)}${limit.length > 0 ? `(${limit.join(',')})` : ''}${array ? '[]' : ''}`;
  return { title, is, value, wanted: { ...wanted, nullable: true }, disposition, steps };
}

const TYPES = [
  ...WIDENED.map((each) => typeCase(each, 'heal', retype.inPlace)),
  ...WIDENED_BY_REWRITE.map((each) => typeCase(each, 'heal', retype.byRewrite)),
  ...WIDENED_BY_REWRITE.map((each): LockCase => {
    const large = typeCase(each, 'open', retype.byRewrite);
    return { ...large, title: `${large.title}, large`, isLarge: true };
  }),
  ...REWRITTEN.map((each) => typeCase(each, 'open', retype.byRewrite)),
];

// EntitySchema takes 'identity', though its types do not say so.
const NEW_COLUMNS: [title: string, wanted: EntitySchemaColumnOptions, steps: string[]][] = [
  ['nullable', { type: 'text', nullable: true }, added.inPlace],
  ['with a constant default', { type: 'text', default: 'x' }, added.inPlace],
  ['with a stable default', { type: 'timestamptz', default: () => 'now()' }, added.inPlace],
  ['with an immutable expression', { type: 'text', default: () => `upper('x')` }, added.inPlace],
  ['with gen_random_uuid()', { type: 'uuid', default: () => 'gen_random_uuid()' }, filledLater.byDefault],
  [
    'with clock_timestamp()',
    { type: 'timestamptz', default: () => 'clock_timestamp()' },
    filledLater.byDefault,
  ],
  [
    'with random() inside an expression',
    { type: 'integer', default: () => '(random() * 10)::int' },
    filledLater.byDefault,
  ],
  ['serial', { type: 'integer', generated: 'increment' }, filledLater.bySequence],
  ['identity', { type: 'integer', generated: 'identity' as 'increment' }, filledLater.byIdentity],
  [
    'generated, stored',
    { type: 'integer', generatedType: 'STORED', asExpression: 'id * 2', nullable: true },
    added.byRewrite,
  ],
  ['with a comment', { type: 'text', nullable: true, comment: 'why' }, [...added.inPlace, `comment: ${SUE}`]],
];

const COLUMNS: LockCase[] = [
  ...NEW_COLUMNS.map(([title, wanted, steps]): LockCase => ({
    title: `a new column, ${title}`,
    is: null,
    wanted,
    disposition: 'heal',
    steps,
  })),
  {
    title: 'NOT NULL, online',
    is: 'text',
    value: 'x',
    wanted: { type: 'text' },
    execution: 'online',
    disposition: 'heal',
    steps: required,
  },
  {
    title: 'NOT NULL, atomic',
    is: 'text',
    value: 'x',
    wanted: { type: 'text' },
    execution: 'atomic',
    disposition: 'heal',
    steps: [`set not null: ${AE}, scans`],
  },
  {
    title: 'NULL allowed',
    is: 'text not null',
    value: 'x',
    wanted: { type: 'text', nullable: true },
    disposition: 'heal',
    steps: [`drop not null: ${AE}`],
  },
  {
    title: 'a default set',
    is: 'text',
    wanted: { type: 'text', nullable: true, default: 'x' },
    disposition: 'heal',
    steps: [`set default: ${AE}`],
  },
  {
    title: 'a default dropped',
    is: `text default 'x'`,
    wanted: { type: 'text', nullable: true },
    disposition: 'heal',
    steps: [`drop default: ${AE}`],
  },
  {
    title: 'a comment',
    is: 'text',
    wanted: { type: 'text', nullable: true, comment: 'why' },
    disposition: 'heal',
    steps: [`comment: ${SUE}`],
  },
  {
    title: 'a column that the entities do not know, NOT NULL',
    is: 'text not null',
    value: 'x',
    wanted: null,
    disposition: 'open',
    steps: [`drop not null: ${AE}`],
  },
];

const a = { is: 'integer', value: '1', wanted: { type: 'integer', nullable: true } } as const;
const check = { checks: [{ expression: 'a > 0' }] };
const unique = { uniques: [{ columns: ['a'] }] };
const exclusion = { exclusions: [{ expression: 'USING btree (a WITH =)' }] };
const foreignKey = {
  relations: { parent: { type: 'many-to-one', target: 'parent', joinColumn: { name: 'a' } } },
} as const;
/** The type of its column is left as it is declared. */
const namedForeignKey = {
  foreignKeys: [
    { name: '$table_a_fkey', target: 'parent', columnNames: ['a'], referencedColumnNames: ['id'] },
  ],
};
const index = { indices: [{ name: 'index_$table', columns: ['a'] }] };
const otherIndex = 'create index index_$table on $table (a desc)';

const CONSTRAINTS: LockCase[] = [
  {
    title: 'a check, online',
    ...a,
    entity: check,
    execution: 'online',
    disposition: 'heal',
    steps: [`add check: ${AE}`, `validate: ${SUE}, scans`],
  },
  {
    title: 'a check, atomic',
    ...a,
    entity: check,
    execution: 'atomic',
    disposition: 'heal',
    steps: [`add check: ${AE}, scans`],
  },
  {
    title: 'a unique constraint',
    ...a,
    entity: unique,
    disposition: 'heal',
    steps: [`add unique: ${AE}, scans`],
  },
  {
    title: 'a unique constraint, large',
    ...a,
    entity: unique,
    isLarge: true,
    disposition: 'heal',
    steps: [`create index: ${SUE}, scans`, `add unique: ${AE}`],
  },
  {
    title: 'a unique constraint whose index is there',
    ...a,
    also: 'create unique index on $table (a)',
    entity: unique,
    disposition: 'heal',
    steps: [`add unique: ${AE}`],
  },
  {
    title: 'another unique constraint of that name, large',
    ...a,
    also: 'alter table $table add constraint $table_u unique (a, id)',
    entity: { uniques: [{ name: '$table_u', columns: ['a'] }] },
    isLarge: true,
    disposition: 'heal',
    steps: [`create index: ${SUE}, scans`, `drop constraint: ${AE}`, `add unique: ${AE}`],
  },
  {
    title: 'a primary key, large',
    is: null,
    wanted: null,
    own: {
      legacy: 'create table $table (id integer not null); insert into $table values (1)',
      columns: { id: { type: 'integer', primary: true } },
    },
    isLarge: true,
    disposition: 'heal',
    steps: [`create index: ${SUE}, scans`, `add primary key: ${AE}`],
  },
  {
    title: 'a primary key of a column that may be NULL, large',
    is: null,
    wanted: null,
    own: {
      legacy: 'create table $table (id integer); insert into $table values (1)',
      columns: { id: { type: 'integer', primary: true } },
    },
    isLarge: true,
    disposition: 'heal',
    steps: [`create index: ${SUE}, scans`, ...required, `add primary key: ${AE}`],
  },
  {
    title: 'an exclusion constraint',
    ...a,
    entity: exclusion,
    disposition: 'heal',
    steps: [`add exclusion: ${AE}, scans`],
  },
  {
    title: 'a foreign key, online',
    ...a,
    entity: foreignKey,
    execution: 'online',
    disposition: 'heal',
    steps: ['add foreign key: SHARE ROW EXCLUSIVE', `validate: ${SUE}, scans`],
  },
  {
    title: 'a foreign key, atomic',
    ...a,
    entity: foreignKey,
    execution: 'atomic',
    disposition: 'heal',
    steps: ['add foreign key: SHARE ROW EXCLUSIVE, scans'],
  },
  {
    title: 'a foreign key that does something else on delete',
    ...a,
    also: 'alter table $table add constraint "$table_a_fkey" foreign key (a) references parent on delete cascade',
    entity: namedForeignKey,
    disposition: 'heal',
    steps: [`drop constraint: ${AE}`, 'add foreign key: SHARE ROW EXCLUSIVE', `validate: ${SUE}, scans`],
  },
  {
    title: 'a wider type of a column with a foreign key',
    ...a,
    wanted: { type: 'bigint', nullable: true },
    also: 'alter table $table add constraint "$table_a_fkey" foreign key (a) references parent',
    entity: namedForeignKey,
    disposition: 'heal',
    steps: [`change type: ${AE}, rewrites`],
  },
  {
    title: 'a constraint that is NOT VALID',
    ...a,
    also: 'alter table $table add check (a > 0) not valid',
    entity: check,
    disposition: 'heal',
    steps: [`validate: ${SUE}, scans`],
  },
  {
    title: 'an index, online',
    ...a,
    entity: index,
    execution: 'online',
    disposition: 'heal',
    steps: [`create index: ${SUE}, scans`],
  },
  {
    title: 'an index, atomic',
    ...a,
    entity: index,
    execution: 'atomic',
    disposition: 'heal',
    steps: ['create index: SHARE, scans'],
  },
  {
    title: 'another index of that name, online',
    ...a,
    also: otherIndex,
    entity: index,
    execution: 'online',
    disposition: 'heal',
    steps: [`create index: ${SUE}, scans`, `drop index: ${SUE}`, `rename index: ${SUE}`],
  },
  {
    title: 'another index of that name, atomic',
    ...a,
    also: otherIndex,
    entity: index,
    execution: 'atomic',
    disposition: 'heal',
    steps: ['create index: SHARE, scans', `drop index: ${AE}`, `rename index: ${SUE}`],
  },
];

const partitioned = {
  is: null,
  wanted: null,
  own: PARTITIONED,
  isLarge: true,
  disposition: 'heal',
} as const;

/** Of a partitioned table the lock is that on the partition, or on the table itself, which the step names. */
const PARTITIONS: LockCase[] = [
  {
    ...partitioned,
    title: 'an index of a partitioned table, large',
    entity: { indices: [{ name: 'index_$table', columns: ['code'] }] },
    steps: [
      'create index without partitions: SHARE',
      `create index: ${SUE}, scans`,
      `attach index: ${AE}`,
      'create index without partitions: SHARE',
      ...[1, 2].flatMap(() => [`create index: ${SUE}, scans`, `attach index: ${AE}`]),
      `attach index: ${AE}`,
    ],
  },
  {
    ...partitioned,
    title: 'a unique constraint of a partitioned table, large',
    entity: { uniques: [{ columns: ['code', 'day'] }] },
    steps: [
      ...[1, 2, 3].map(() => `create index: ${SUE}, scans`),
      `add unique without partitions: ${AE}`,
      `add unique: ${AE}`,
      `attach index: ${AE}`,
      `add unique without partitions: ${AE}`,
      ...[1, 2].flatMap(() => [`add unique: ${AE}`, `attach index: ${AE}`]),
      `attach index: ${AE}`,
    ],
  },
];

const OTHERS: LockCase[] = [
  {
    title: 'a type that is wider, below a view',
    is: 'varchar(10)',
    value: 'x',
    wanted: { type: 'varchar', length: 20, nullable: true },
    also: 'create view $table_v as select a from $table',
    views: { $table_v: 'select a from $table' },
    disposition: 'heal',
    steps: [`drop view: ${AE}`, `change type: ${AE}`, 'create view: NONE'],
  },
  {
    title: 'an index that a run that died has left',
    ...a,
    also: `create index ${temporaryIndexName('gone')} on $table (a)`,
    disposition: 'heal',
    steps: [`drop index: ${SUE}`],
  },
];

export const LOCK_CASES: LockCase[] = [...TYPES, ...COLUMNS, ...CONSTRAINTS, ...PARTITIONS, ...OTHERS];
