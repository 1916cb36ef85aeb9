import type { EntitySchemaColumnOptions, EntitySchemaOptions } from 'typeorm';
import type { Execution } from '../../src/plan/proposal.js';

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
  readonly execution?: Execution;
  readonly disposition: 'heal' | 'open';
  /** `action: strongest lock on the table or an index of it`, and whether the table gets a new file. */
  readonly steps: string[];
}

const AE = 'ACCESS EXCLUSIVE';
const SUE = 'SHARE UPDATE EXCLUSIVE';
const retype = { inPlace: [`change type: ${AE}`], byRewrite: [`change type: ${AE}, rewrites`] };
const added = { inPlace: [`add column: ${AE}`], byRewrite: [`add column: ${AE}, rewrites`] };

const required = [
  `drop the temporary check: ${AE}`,
  `add a temporary check: ${AE}`,
  `validate the temporary check: ${SUE}`,
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

const REWRITTEN: TypeCase[] = [
  ['smallint', { type: 'integer' }, '1'],
  ['integer', { type: 'bigint' }, '1'],
  ['integer', { type: 'numeric' }, '1'],
  ['integer', { type: 'text' }, '1'],
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

function typeCase([is, wanted, value]: TypeCase, inPlace: boolean): LockCase {
  const { type, length, precision, scale, array } = wanted;
  const limit = [length ?? precision, scale].filter((each) => each !== undefined);
  const title = `${is} to ${String(type)}${limit.length > 0 ? `(${limit.join(',')})` : ''}${array ? '[]' : ''}`;
  const outcome = inPlace
    ? ({ disposition: 'heal', steps: retype.inPlace } as const)
    : ({ disposition: 'open', steps: retype.byRewrite } as const);
  return { title, is, value, wanted: { ...wanted, nullable: true }, ...outcome };
}

const TYPES = [
  ...WIDENED.map((each) => typeCase(each, true)),
  ...REWRITTEN.map((each) => typeCase(each, false)),
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
    steps: [`set not null: ${AE}`],
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
const index = { indices: [{ name: 'index_$table', columns: ['a'] }] };
const otherIndex = 'create index index_$table on $table (a desc)';

const CONSTRAINTS: LockCase[] = [
  {
    title: 'a check, online',
    ...a,
    entity: check,
    execution: 'online',
    disposition: 'heal',
    steps: [`add check: ${AE}`, `validate: ${SUE}`],
  },
  {
    title: 'a check, atomic',
    ...a,
    entity: check,
    execution: 'atomic',
    disposition: 'heal',
    steps: [`add check: ${AE}`],
  },
  { title: 'a unique constraint', ...a, entity: unique, disposition: 'heal', steps: [`add unique: ${AE}`] },
  {
    title: 'an exclusion constraint',
    ...a,
    entity: exclusion,
    disposition: 'heal',
    steps: [`add exclusion: ${AE}`],
  },
  {
    title: 'a foreign key, online',
    ...a,
    entity: foreignKey,
    execution: 'online',
    disposition: 'heal',
    steps: ['add foreign key: SHARE ROW EXCLUSIVE', `validate: ${SUE}`],
  },
  {
    title: 'a foreign key, atomic',
    ...a,
    entity: foreignKey,
    execution: 'atomic',
    disposition: 'heal',
    steps: ['add foreign key: SHARE ROW EXCLUSIVE'],
  },
  {
    title: 'a constraint that is NOT VALID',
    ...a,
    also: 'alter table $table add check (a > 0) not valid',
    entity: check,
    disposition: 'heal',
    steps: [`validate: ${SUE}`],
  },
  {
    title: 'an index, online',
    ...a,
    entity: index,
    execution: 'online',
    disposition: 'heal',
    steps: [`create index: ${SUE}`],
  },
  {
    title: 'an index, atomic',
    ...a,
    entity: index,
    execution: 'atomic',
    disposition: 'heal',
    steps: ['create index: SHARE'],
  },
  {
    title: 'another index of that name, online',
    ...a,
    also: otherIndex,
    entity: index,
    execution: 'online',
    disposition: 'heal',
    steps: [`create index: ${SUE}`, `drop index: ${SUE}`, `rename index: ${SUE}`],
  },
  {
    title: 'another index of that name, atomic',
    ...a,
    also: otherIndex,
    entity: index,
    execution: 'atomic',
    disposition: 'heal',
    steps: ['create index: SHARE', `drop index: ${AE}`, `rename index: ${SUE}`],
  },
];

export const LOCK_CASES: LockCase[] = [...TYPES, ...COLUMNS, ...CONSTRAINTS];
