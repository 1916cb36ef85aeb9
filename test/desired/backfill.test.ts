import 'reflect-metadata';
import { Column, Entity, ManyToOne, JoinColumn, PrimaryColumn, TableInheritance, ChildEntity } from 'typeorm';
import { expect, test } from 'vitest';
import type { BackfillOptions } from '../../src/desired/backfill-options.js';
import { declarationsOf } from '../../src/desired/declarations.js';
import { Backfill } from '../../src/desired/backfill.decorator.js';
import { InvalidOptionError } from '../../src/errors.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase } from '../setup/database.js';

class Address {
  @Backfill(`'Vienna'`)
  @Column('text', { nullable: true })
  city!: string | null;
}

abstract class Named {
  @PrimaryColumn('integer')
  id!: number;

  @Backfill('id::text', { where: 'id > 0', batchSize: 100, pauseMs: 0, repeat: 'every-run' })
  @Column('text', { name: 'full_name', nullable: true })
  fullName!: string | null;
}

@Entity('guest', { schema: 'hotel' })
class Guest extends Named {
  @Column(() => Address)
  home!: Address;

  @Backfill('id')
  @ManyToOne(() => Guest, { nullable: true })
  @JoinColumn({ name: 'host_id' })
  host!: Guest | null;
}

@Entity('animal')
@TableInheritance({ column: { type: 'varchar', name: 'kind' } })
class Animal extends Named {}

@ChildEntity()
class Dog extends Animal {
  @Backfill('7')
  @Column('integer', { nullable: true })
  tricks!: number | null;
}

test('declared on an entity, on what it extends and embeds, on a relation, on a child in the same table, and by option', async () => {
  const database = await createTestDatabase();
  const dataSource = await openDataSource(database.url, [Guest, Animal, Dog]);
  const declarations = declarationsOf(dataSource, [
    { table: 'hotel.guest', column: 'homeCity', expression: `'Graz'` },
    { table: 'other', column: 'a', expression: '1' },
  ]);
  const found = declarations.map(
    ({ table, column, backfill }) => `${table.schema}.${table.name}.${column}: ${backfill.expression}`,
  );
  expect(found.toSorted()).toEqual([
    'hotel.guest.full_name: id::text',
    `hotel.guest.homeCity: 'Graz'`,
    'hotel.guest.host_id: id',
    'public.animal.full_name: id::text',
    'public.animal.tricks: 7',
    'public.other.a: 1',
  ]);
  expect(declarations.find(({ column }) => column === 'full_name')?.backfill).toEqual({
    expression: 'id::text',
    where: 'id > 0',
    batchSize: 100,
    pauseMs: 0,
    repeat: 'every-run',
  });
  expect(declarations.find(({ column }) => column === 'host_id')?.backfill).toEqual({
    expression: 'id',
    where: null,
    batchSize: null,
    pauseMs: null,
    repeat: 'once',
  });
});

test.each([
  ['', {}, '@Backfill of Guest.name" of nestjs-auto-migration: expression is empty'],
  ['1', { batchSize: 0 }, 'batchSize is below 1'],
  ['1', { pauseMs: 0.5 }, 'pauseMs is not a whole number of milliseconds'],
  ['1', { wher: 'true' }, 'wher is not known'],
])('refuses %j with %j', (expression, options, message) => {
  const declare = (): void => Backfill(expression, options as BackfillOptions)(Guest.prototype, 'name');
  expect(declare).toThrow(InvalidOptionError);
  expect(declare).toThrow(message);
});
