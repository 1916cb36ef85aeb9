import type { ColumnOptions } from 'typeorm';

/** A default as an entity gives it: a value, or SQL, which TypeORM wants as a function. */
export type Default = { readonly value: unknown } | { readonly sql: string };

export interface TypeDesign {
  readonly options: ColumnOptions;
  /** Types of one family are changed into each other. */
  readonly family: string;
  /** Values, as texts of that type. */
  readonly samples: readonly string[];
  readonly defaults: readonly Default[];
  /** Conditions on a column of this type, whose quoted name stands where $ is. */
  readonly conditions: readonly string[];
  /** Equality, order and hashes are there: it may be in keys. */
  readonly isOrdered: boolean;
  /** Other methods than btree that can index it. */
  readonly methods: readonly ('hash' | 'brin' | 'gin' | 'gist')[];
}

type Rest = Partial<Omit<TypeDesign, 'options' | 'family'>>;

const value = (given: unknown): Default => ({ value: given });
const sql = (text: string): Default => ({ sql: text });
const isThere = '$ IS NOT NULL';

const type = (family: string, options: ColumnOptions, samples: string[], rest: Rest = {}): TypeDesign => ({
  family,
  options,
  samples,
  defaults: [],
  conditions: [isThere],
  isOrdered: true,
  methods: ['hash', 'brin'],
  ...rest,
});

const number = (options: ColumnOptions, ...more: Default[]): TypeDesign =>
  type('number', options, ['0', '7', '-3'], {
    defaults: [value(0), value(42), value(-7), sql('1 + 2'), ...more],
    conditions: [isThere, '$ > 0', '$ BETWEEN 1 AND 5 OR $ = 7', '$ <> 0 AND $ < 100'],
  });

const text = (options: ColumnOptions, samples: string[], ...more: Default[]): TypeDesign =>
  type('text', options, samples, {
    defaults: [value('x'), value(''), sql(`'it''s'`), ...more],
    conditions: [isThere, `$ <> ''`, `$ IN ('x', 'y')`, `length($) < 20`, `lower($) LIKE 'x%'`],
  });

const moment = (options: ColumnOptions, samples: string[], ...defaults: Default[]): TypeDesign =>
  type('moment', options, samples, { defaults });

const other = (options: ColumnOptions, samples: string[], rest: Rest = {}): TypeDesign =>
  type('other', options, samples, rest);

const unordered = { isOrdered: false, methods: [] } as const;
const now = sql('now()');
const standardNow = sql('CURRENT_TIMESTAMP');
const UUID = '8fb3d2a0-7a4e-4c43-9a2f-0d5e0c7b1a11';
const words = ['x', 'y', 'word'];
const long = ['x', 'y', 'a text of more than ten characters'];

/** The simplest first, as counter-examples shrink towards it. */
export const COLUMN_TYPES = {
  integer: number({ type: 'integer' }),
  text: text(
    { type: 'text' },
    [...long, '1', UUID],
    value('a\\b'),
    sql(`concat('a', 'b')`),
    sql('current_user'),
  ),
  'varchar(10)': text({ type: 'varchar', length: 10 }, [...words, '1'], sql(`'x'::text`)),
  'varchar(40)': text({ type: 'varchar', length: 40 }, [...long, UUID]),
  varchar: text({ type: 'varchar' }, long, value('plain')),
  'char(3)': type('text', { type: 'char', length: 3 }, ['x', 'abc'], { defaults: [value('x')] }),
  smallint: number({ type: 'smallint' }),
  bigint: number({ type: 'bigint' }),
  numeric: number({ type: 'numeric' }, sql('10.50'), sql('random()')),
  'numeric(6,2)': number({ type: 'numeric', precision: 6, scale: 2 }, value(10.5)),
  'numeric(10,2)': number({ type: 'decimal', precision: 10, scale: 2 }, value('10.50')),
  'numeric(10,4)': number({ type: 'numeric', precision: 10, scale: 4 }),
  'double precision': number({ type: 'double precision' }, value(0.1)),
  real: number({ type: 'real' }),
  money: type('number', { type: 'money' }, ['1.50', '0'], { defaults: [value(3)], methods: [] }),
  boolean: other({ type: 'boolean' }, ['true', 'false'], {
    defaults: [value(true), value(false)],
    conditions: [isThere, '$', 'NOT $'],
    methods: ['hash'],
  }),
  date: moment({ type: 'date' }, ['2020-01-01', '2026-11-24'], sql('CURRENT_DATE'), value('2020-01-01')),
  time: moment({ type: 'time' }, ['10:00', '11:30:01.5'], value('10:00:00')),
  'time(2)': moment({ type: 'time', precision: 2 }, ['10:00']),
  timestamp: moment(
    { type: 'timestamp' },
    ['2020-01-01 10:00', '2026-11-24 12:00:01.123456'],
    now,
    standardNow,
  ),
  'timestamp(0)': moment({ type: 'timestamp', precision: 0 }, ['2020-01-01 10:00'], now),
  'timestamp(3)': moment(
    { type: 'timestamp', precision: 3 },
    ['2020-01-01 10:00:00.123'],
    sql('CURRENT_TIMESTAMP(3)'),
    now,
  ),
  timestamptz: moment(
    { type: 'timestamptz' },
    ['2020-01-01 10:00+00', '2026-11-24 12:00:01.123456+00'],
    now,
    standardNow,
    sql(`now() + interval '1 day'`),
    sql('clock_timestamp()'),
  ),
  'timestamptz(3)': moment({ type: 'timestamptz', precision: 3 }, ['2020-01-01 10:00+00'], now),
  interval: moment({ type: 'interval' }, ['1 day', '2 hours'], value('1 day')),
  'interval(2)': moment({ type: 'interval', precision: 2 }, ['1 day']),
  uuid: type('text', { type: 'uuid' }, [UUID, UUID.replace('8', '9')], {
    defaults: [sql('gen_random_uuid()'), value(UUID)],
    methods: ['hash'],
  }),
  jsonb: type('json', { type: 'jsonb' }, ['{}', '{"a": 1}', '[1, "it\'s"]'], {
    defaults: [value({}), value({ a: 1, b: ['x', "it's"] }), value([]), sql(`'{}'::jsonb`), sql(`'[]'`)],
    conditions: [isThere, `jsonb_typeof($) = 'object'`],
    methods: ['gin', 'hash'],
  }),
  json: type('json', { type: 'json' }, ['{}', '{"a": 1}'], {
    ...unordered,
    defaults: [value({}), value({ a: 1 }), sql(`'[]'::json`)],
  }),
  'simple-json': type('json', { type: 'simple-json' }, ['{}']),
  'simple-array': type('text', { type: 'simple-array' }, ['a,b'], { defaults: [value('a,b')] }),
  bytea: other({ type: 'bytea' }, ['\\x00ff', '\\x'], { defaults: [sql(`'\\x00'`)] }),
  'bit(5)': other({ type: 'bit', length: 5 }, ['10101'], { methods: [] }),
  'varbit(3)': type('bits', { type: 'bit varying', length: 3 }, ['101', ''], { methods: [] }),
  'varbit(9)': type('bits', { type: 'bit varying', length: 9 }, ['101', '10101'], {
    methods: [],
    defaults: [sql(`B'101'`)],
  }),
  inet: type('address', { type: 'inet' }, ['10.0.0.1', '10.0.0.0/8'], { defaults: [value('127.0.0.1')] }),
  cidr: type('address', { type: 'cidr' }, ['10.0.0.0/8', '10.0.0.1/32']),
  macaddr: type('address', { type: 'macaddr' }, ['08:00:2b:01:02:03']),
  point: other({ type: 'point' }, ['(1,2)'], {
    ...unordered,
    methods: ['gist'],
    defaults: [sql('point(0, 0)'), value('(1,2)')],
  }),
  xml: other({ type: 'xml' }, ['<a/>'], unordered),
  tsvector: other({ type: 'tsvector' }, ['a b'], { methods: ['gin', 'gist'] }),
  int4range: other({ type: 'int4range' }, ['[1,5)', 'empty'], {
    methods: ['gist'],
    defaults: [value('[0,1)'), sql('int4range(1, 5)')],
    conditions: [isThere, 'NOT isempty($)'],
  }),
} satisfies Record<string, TypeDesign>;

export type TypeName = keyof typeof COLUMN_TYPES;

export const TYPE_NAMES = Object.keys(COLUMN_TYPES) as TypeName[];

/** Whose arrays are drawn, too. */
export const TYPES_OF_ARRAYS: readonly TypeName[] = [
  'text',
  'integer',
  'varchar(10)',
  'varchar(40)',
  'bigint',
  'uuid',
  'jsonb',
  'timestamp(3)',
  'numeric(6,2)',
];

const ARRAY_DEFAULTS: readonly Default[] = [value('{}'), value([])];
const ARRAY_DEFAULTS_OF: Partial<Record<TypeName, Default[]>> = {
  text: [value(['a', 'b']), sql('ARRAY[]::text[]'), sql(`'{"it''s","a, b"}'`), sql(`ARRAY['x', 'y z']`)],
  'varchar(10)': [value(['a', 'b']), sql(`ARRAY['x']`)],
  integer: [value([1, 2]), sql('ARRAY[1, 2 + 3]')],
};

/** The array of a type. */
export function arrayOf(name: TypeName): TypeDesign {
  const element: TypeDesign = COLUMN_TYPES[name];
  return {
    ...element,
    family: 'array',
    options: { ...element.options, array: true },
    samples: ['{}', ...element.samples.map((sample) => `{${JSON.stringify(sample)}}`)],
    defaults: [...ARRAY_DEFAULTS, ...(ARRAY_DEFAULTS_OF[name] ?? [])],
    conditions: [isThere, 'cardinality($) > 0'],
    methods: element.isOrdered ? ['gin', 'hash'] : [],
  };
}
