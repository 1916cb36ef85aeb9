import { Column, Entity, EntitySchema, Index, PrimaryColumn } from 'typeorm';
import type { LawCase } from '../law-case.js';

const pair = { a: { type: 'integer' as const }, b: { type: 'text' as const } };

function concurrentlyIndexed(): new () => object {
  @Entity('concurrently')
  @Index('idx_alone', ['b'], { concurrent: true })
  class Concurrently {
    @PrimaryColumn('integer') a!: number;
    @Column('text') b!: string;
  }
  return Concurrently;
}

function indexedByMethod(): new () => object {
  @Entity('by_method')
  @Index('idx_concurrent', ['b'], { concurrent: true })
  @Index('idx_hash', ['b'], { type: 'hash' })
  @Index('idx_brin', ['a'], { type: 'brin' })
  @Index('idx_gin', ['bag'], { type: 'gin' })
  class ByMethod {
    @PrimaryColumn('integer') a!: number;
    @Column('text') b!: string;
    @Column('jsonb') bag!: object;
  }
  return ByMethod;
}

export const keys: LawCase[] = [
  {
    title: 'indexes by method, and a concurrent one',
    // TypeORM 0.3 takes no notice of the method.
    since: { typeorm: 1 },
    entities: () => [indexedByMethod()],
    options: { migrationsTransactionMode: 'none' },
  },
  {
    title: 'a concurrent index',
    entities: () => [concurrentlyIndexed()],
    options: { migrationsTransactionMode: 'none' },
  },
  {
    title: 'primary keys: composite, named',
    entities: () => [
      new EntitySchema({
        name: 'composite',
        columns: { b: { type: 'text', primary: true }, a: { type: 'integer', primary: true } },
      }),
      new EntitySchema({
        name: 'named',
        columns: { id: { type: 'integer', primary: true, primaryKeyConstraintName: 'PK named so' } },
      }),
    ],
  },
  {
    title: 'uniques: of one and of more columns, named, deferrable',
    entities: () => [
      new EntitySchema({
        name: 'unique_ones',
        columns: { id: { type: 'integer', primary: true }, ...pair, c: { type: 'text', unique: true } },
        uniques: [
          { columns: ['a', 'b'] },
          { name: 'named_unique', columns: ['a'] },
          { name: 'later', columns: ['b'], deferrable: 'INITIALLY DEFERRED' },
          { name: 'sooner', columns: ['b', 'a'], deferrable: 'INITIALLY IMMEDIATE' },
        ],
      }),
    ],
  },
  {
    title: 'indexes: unique, partial, spatial, not synchronised',
    entities: () => [
      new EntitySchema({
        name: 'indexed',
        columns: {
          id: { type: 'integer', primary: true },
          ...pair,
          words: { type: 'tsvector', nullable: true },
          place: { type: 'point', nullable: true },
          bag: { type: 'jsonb', nullable: true },
          state: { type: 'enum', enum: ['on', 'off'], default: 'on' },
        },
        indices: [
          { columns: ['a'] },
          { columns: ['b', 'a'], unique: true },
          { name: 'IDX partial', columns: ['b'], where: `"a" > 3 AND "b" IN ('x', 'y')` },
          { name: 'idx_enum', columns: ['a'], where: `state = 'on'` },
          { name: 'idx_absent', columns: ['b'], synchronize: false },
          { name: 'idx_spatial', columns: ['place'], spatial: true },
        ],
      }),
    ],
  },
  {
    title: 'checks and exclusions',
    setup: 'create extension if not exists btree_gist',
    entities: () => [
      new EntitySchema({
        name: 'ruled',
        columns: {
          id: { type: 'integer', primary: true },
          ...pair,
          room: { type: 'integer' },
          during: { type: 'tsrange' },
        },
        checks: [
          { expression: 'a > 0' },
          { name: 'chk between', expression: `"a" BETWEEN 1 AND 5 OR b IN ('x', 'y')` },
        ],
        exclusions: [
          { expression: 'USING gist (during WITH &&)' },
          { name: 'xcl_room', expression: 'USING gist (room WITH =, during WITH &&) WHERE (room > 0)' },
        ],
      }),
    ],
  },
  {
    title: 'one of several values of a varchar, in a check, a predicate and a default',
    entities: () => [
      new EntitySchema({
        name: 'chosen',
        columns: {
          id: { type: 'integer', primary: true },
          state: { type: 'varchar', length: 10 },
          isKnown: { type: 'boolean', default: () => `('x'::varchar IN ('x', 'y'))` },
        },
        checks: [{ name: 'known', expression: `state IN ('it''s', 'paid')` }],
        indices: [{ name: 'known_only', columns: ['id'], where: `state IN ('it''s', 'paid')` }],
      }),
    ],
    typeormNeverRests: 'it compares the texts of expressions',
  },
  {
    title: 'BETWEEN before another AND, in a check, a predicate, a default and a view',
    entities: () => [
      new EntitySchema({
        name: 'ranged',
        columns: {
          id: { type: 'integer', primary: true },
          isIn: { type: 'boolean', default: () => `((3 between 1 and 5) and 2 > 1)` },
        },
        checks: [{ name: 'ranged_id', expression: 'id BETWEEN 1 AND 5 AND id <> 3' }],
        indices: [{ name: 'ranged_low', columns: ['id'], where: 'id BETWEEN 1 AND 3 AND "isIn"' }],
      }),
      new EntitySchema({
        name: 'ranged_view',
        type: 'view',
        expression: 'SELECT id FROM ranged WHERE id BETWEEN 1 AND 3 AND "isIn"',
        columns: { id: { type: 'integer' } },
      }),
    ],
    typeormNeverRests: 'it compares the texts of expressions',
  },
  {
    title: 'a unique over the columns of the primary key',
    entities: () => [
      new EntitySchema({
        name: 'identity',
        columns: { provider: { type: 'text', primary: true }, subject: { type: 'text', primary: true } },
        uniques: [{ columns: ['provider', 'subject'] }],
      }),
    ],
    typeormNeverRests: 'PostgreSQL leaves such a unique out of a CREATE TABLE',
  },
  {
    title: 'a deferrable exclusion',
    since: { typeorm: 1 },
    entities: () => [
      new EntitySchema({
        name: 'lent',
        columns: { id: { type: 'integer', primary: true }, during: { type: 'tsrange' } },
        exclusions: [{ expression: 'USING gist (during WITH &&)', deferrable: 'INITIALLY DEFERRED' }],
      }),
    ],
  },
];
