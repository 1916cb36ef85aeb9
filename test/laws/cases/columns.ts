import {
  Entity,
  EntitySchema,
  PrimaryColumn,
  PrimaryGeneratedColumn,
  type EntitySchemaColumnOptions,
} from 'typeorm';
import type { LawCase } from '../law-case.js';

/** An entity with a key and the given columns. */
export function entity(name: string, columns: Record<string, EntitySchemaColumnOptions>): EntitySchema {
  return new EntitySchema({ name, columns: { id: { type: 'integer', primary: true }, ...columns } });
}

const types: Record<string, EntitySchemaColumnOptions> = {
  smallint: { type: 'smallint' },
  int2: { type: 'int2' },
  integer: { type: 'integer' },
  bigint: { type: 'bigint' },
  numeric: { type: 'numeric' },
  numeric_precise: { type: 'numeric', precision: 10, scale: 2 },
  decimal_precise: { type: 'decimal', precision: 7 },
  real: { type: 'real' },
  double: { type: 'double precision' },
  float8: { type: 'float8' },
  money: { type: 'money' },
  boolean: { type: 'boolean' },
  text: { type: 'text' },
  varchar: { type: 'varchar' },
  varchar_long: { type: 'varchar', length: 40 },
  character_varying: { type: 'character varying', length: 17 },
  char: { type: 'char', length: 3 },
  character: { type: 'character', length: 4 },
  bytea: { type: 'bytea' },
  bit: { type: 'bit', length: 5 },
  varbit: { type: 'bit varying', length: 9 },
  date: { type: 'date' },
  time: { type: 'time' },
  time_precise: { type: 'time', precision: 2 },
  timetz: { type: 'timetz' },
  timestamp: { type: 'timestamp' },
  timestamp_precise: { type: 'timestamp', precision: 3 },
  timestamptz: { type: 'timestamptz' },
  timestamptz_precise: { type: 'timestamp with time zone', precision: 0 },
  interval: { type: 'interval' },
  interval_precise: { type: 'interval', precision: 4 },
  uuid: { type: 'uuid' },
  json: { type: 'json' },
  jsonb: { type: 'jsonb' },
  xml: { type: 'xml' },
  inet: { type: 'inet' },
  cidr: { type: 'cidr' },
  macaddr: { type: 'macaddr' },
  macaddr8: { type: 'macaddr8' },
  point: { type: 'point' },
  line: { type: 'line' },
  lseg: { type: 'lseg' },
  box: { type: 'box' },
  path: { type: 'path' },
  polygon: { type: 'polygon' },
  circle: { type: 'circle' },
  tsvector: { type: 'tsvector' },
  tsquery: { type: 'tsquery' },
  int4range: { type: 'int4range' },
  tstzrange: { type: 'tstzrange' },
  datemultirange: { type: 'datemultirange' },
  text_array: { type: 'text', array: true },
  int_array: { type: 'integer', array: true },
  varchar_array: { type: 'varchar', length: 10, array: true },
  timestamp_array: { type: 'timestamp', precision: 3, array: true },
  jsonb_array: { type: 'jsonb', array: true },
  simple_array: { type: 'simple-array' },
  simple_json: { type: 'simple-json' },
  simple_enum: { type: 'simple-enum', enum: ['x', 'y'] },
};

const defaults: Record<string, EntitySchemaColumnOptions> = {
  text_constant: { type: 'varchar', default: 'plain' },
  text_empty: { type: 'varchar', default: '' },
  text_quoted: { type: 'varchar', default: () => `'it''s'` },
  text_backslash: { type: 'varchar', default: 'a\\b' },
  number: { type: 'integer', default: 42 },
  negative: { type: 'integer', default: -7 },
  big: { type: 'bigint', default: 5 },
  decimal: { type: 'numeric', precision: 6, scale: 2, default: 10.5 },
  truth: { type: 'boolean', default: true },
  moment: { type: 'timestamptz', default: () => 'now()' },
  moment_standard: { type: 'timestamp', default: () => 'CURRENT_TIMESTAMP' },
  moment_precise: { type: 'timestamp', precision: 3, default: () => 'CURRENT_TIMESTAMP(3)' },
  day: { type: 'date', default: () => 'CURRENT_DATE' },
  day_constant: { type: 'date', default: '2020-01-01' },
  random_uuid: { type: 'uuid', default: () => 'gen_random_uuid()' },
  sum: { type: 'integer', default: () => '1 + 2' },
  joined: { type: 'text', default: () => `concat('a', 'b')` },
  later: { type: 'timestamptz', default: () => `now() + interval '1 day'` },
  object: { type: 'jsonb', default: { a: 1, b: ['x'] } },
  object_empty: { type: 'jsonb', default: {} },
  object_raw: { type: 'jsonb', default: () => `'{}'::jsonb` },
  array_empty: { type: 'text', array: true, default: '{}' },
  array_filled: { type: 'text', array: true, default: ['a', 'b'] },
  array_raw: { type: 'text', array: true, default: () => 'ARRAY[]::text[]' },
  numbers: { type: 'integer', array: true, default: [1, 2] },
  nothing: { type: 'text', nullable: true, default: null },
  nothing_raw: { type: 'text', nullable: true, default: () => 'NULL' },
  user: { type: 'text', default: () => 'current_user' },
};

const generated: Record<string, EntitySchemaColumnOptions> = {
  first: { type: 'text' },
  last: { type: 'text', nullable: true },
  full: { type: 'text', generatedType: 'STORED', asExpression: `coalesce(first || ' ' || last, first)` },
};

function toldTable(): new () => object {
  @Entity({ name: 'told', comment: 'the table' })
  class Told {
    @PrimaryColumn('integer') id!: number;
  }
  return Told;
}

function identityTable(generatedIdentity: 'ALWAYS' | 'BY DEFAULT', i: number): new () => object {
  @Entity(`identity_${i}`)
  class WithIdentity {
    @PrimaryGeneratedColumn('identity', { generatedIdentity }) id!: number;
  }
  return WithIdentity;
}

export const columns: LawCase[] = [
  {
    title: 'every column type',
    entities: () => [entity('types', types)],
    typeormNeverRests: 'an array of timestamps with precision has another text each time',
  },
  {
    title: 'defaults',
    entities: () => [entity('defaults', defaults)],
    typeormNeverRests: 'it compares the texts of expressions',
  },
  {
    title: 'nullability and comments',
    entities: () => [
      entity('notes', {
        wanted: { type: 'text', comment: "it's said" },
        optional: { type: 'text', nullable: true, comment: 'line\nbreak \\ "quoted"' },
      }),
      toldTable(),
    ],
  },
  { title: 'collation', entities: () => [entity('sorted', { name: { type: 'text', collation: 'C' } })] },
  { title: 'a stored generated column', entities: () => [entity('person', generated)] },
  {
    title: 'enums: plain, named, shared, arrays, with defaults and hostile values',
    entities: () => [
      entity('mood', {
        now: { type: 'enum', enum: ['glad', 'sad'], default: 'glad' },
        all: { type: 'enum', enum: ['a', 'b'], array: true, default: ['a'] },
        named: { type: 'enum', enum: ["it's", 'with "quotes"', 'Ünï'], enumName: 'Feeling' },
        shared: { type: 'enum', enum: ['one', 'two'], enumName: 'shared_enum' },
      }),
      entity('other_mood', {
        shared: { type: 'enum', enum: ['one', 'two'], enumName: 'shared_enum', default: 'two' },
      }),
    ],
  },
  {
    title: 'generated keys: serial, bigserial, smallserial',
    entities: () =>
      (['integer', 'bigint', 'smallint'] as const).map(
        (type) =>
          new EntitySchema({
            name: `serial_${type}`,
            columns: { id: { type, primary: true, generated: 'increment' } },
          }),
      ),
  },
  {
    title: 'identity: always and by default',
    entities: () => (['ALWAYS', 'BY DEFAULT'] as const).map(identityTable),
  },
  {
    title: 'generated uuid',
    entities: () => [
      new EntitySchema({
        name: 'token',
        columns: { id: { type: 'uuid', primary: true, generated: 'uuid' } },
      }),
    ],
  },
  {
    title: 'generated uuid by pgcrypto',
    options: { uuidExtension: 'pgcrypto' },
    entities: () => [
      new EntitySchema({
        name: 'token',
        columns: { id: { type: 'uuid', primary: true, generated: 'uuid' } },
      }),
    ],
  },
  {
    title: 'types of extensions: citext, hstore, ltree, cube',
    entities: () => [
      entity('extended', {
        mail: { type: 'citext' },
        pairs: { type: 'hstore' },
        path: { type: 'ltree' },
        place: { type: 'cube' },
      }),
    ],
  },
  {
    title: 'types of PostGIS, with a spatial index',
    extension: 'postgis',
    typeormNeverRests: 'it reads a geometry of any kind as another type than one that names none',
    entities: () => [
      new EntitySchema({
        name: 'site',
        columns: {
          id: { type: 'integer', primary: true },
          place: { type: 'geometry' },
          entrance: { type: 'geometry', spatialFeatureType: 'Point', srid: 4326, nullable: true },
          area: { type: 'geography', spatialFeatureType: 'Polygon', srid: 4326, nullable: true },
          somewhere: { type: 'geography', nullable: true },
        },
        indices: [{ name: 'site_place', columns: ['place'], spatial: true }],
      }),
    ],
  },
  {
    title: 'vectors',
    since: { typeorm: 1 },
    extension: 'vector',
    entities: () => [
      entity('embedding', {
        meaning: { type: 'vector', length: 3 },
        short: { type: 'halfvec', length: 4 },
        any: { type: 'vector' },
      }),
    ],
  },
  {
    title: 'dates that TypeORM fills, version, deletion',
    entities: () => [
      entity('dated', {
        created: { type: 'timestamp', createDate: true },
        updated: { type: 'timestamptz', updateDate: true },
        deleted: { type: 'timestamp', deleteDate: true },
        version: { type: 'integer', version: true },
      }),
    ],
  },
];
