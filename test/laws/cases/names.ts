import { DefaultNamingStrategy, EntitySchema } from 'typeorm';
import type { LawCase } from '../law-case.js';

class ShoutingNames extends DefaultNamingStrategy {
  override tableName(className: string, customName: string): string {
    return `T_${(customName || className).toUpperCase()}`;
  }
  override indexName(): string {
    return `I_${super.indexName.apply(this, arguments as unknown as [string, string[], string?]).slice(4, 20)}`;
  }
}

const plain = { id: { type: 'integer' as const, primary: true, generated: 'increment' as const } };

export const names: LawCase[] = [
  {
    title: 'names with capitals, spaces, quotes, umlauts, reserved words',
    entities: () => [
      new EntitySchema({
        name: 'order',
        columns: {
          ...plain,
          user: { type: 'text' },
          'Mixed Case': { type: 'text' },
          quoted: { type: 'integer', default: 1 },
          größe: { type: 'text', nullable: true },
          "it's": { type: 'text', nullable: true },
          select: { type: 'enum', enum: ['a'] },
        },
        indices: [{ name: 'Index of order', columns: ['user'] }],
        uniques: [{ name: "it's unique", columns: ['Mixed Case'] }],
        checks: [{ name: 'größer als', expression: 'quoted > 0' }],
      }),
    ],
  },
  {
    title: 'a prefix and a naming strategy',
    options: { entityPrefix: 'app_', namingStrategy: new ShoutingNames() },
    entities: () => [
      new EntitySchema({
        name: 'thing',
        columns: { ...plain, a: { type: 'text' } },
        indices: [{ columns: ['a'] }],
      }),
    ],
  },
  {
    title: 'a default schema of the data source',
    setup: 'create schema home',
    options: { schema: 'home' },
    entities: () => [
      new EntitySchema({
        name: 'thing',
        columns: { ...plain, state: { type: 'enum', enum: ['a'], default: 'a' } },
      }),
    ],
  },
  {
    title: 'entities that are not synchronised',
    setup: 'create table theirs (anything text)',
    entities: () => [
      new EntitySchema({ name: 'theirs', synchronize: false, columns: plain }),
      new EntitySchema({ name: 'ours', columns: plain }),
    ],
  },
  {
    title: "TypeORM's own tables",
    options: { cache: true, migrationsTableName: 'my_migrations' },
    setup: 'create table my_migrations (id serial primary key, timestamp bigint, name text)',
    entities: () => [new EntitySchema({ name: 'ours', columns: plain })],
  },
];
