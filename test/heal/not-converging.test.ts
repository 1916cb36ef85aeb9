import { EntitySchema } from 'typeorm';
import { expect, test } from 'vitest';
import { AutoMigrator } from '../../src/auto-migrator.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase } from '../setup/database.js';

const lamp = (watts: number): EntitySchema =>
  new EntitySchema({
    name: 'lamp',
    columns: {
      id: { type: 'integer', primary: true },
      watts: { type: 'integer', default: watts },
    },
  });

/** Undoes each change of the default, as somebody's event trigger might. */
const STUBBORN = `
  create function undo() returns event_trigger language plpgsql as $$
  begin
    if current_setting('test.undoing', true) = 'yes' then return; end if;
    perform set_config('test.undoing', 'yes', true);
    alter table public.lamp alter column watts set default 5;
    perform set_config('test.undoing', 'no', true);
  end $$;
  create event trigger undo on ddl_command_end when tag in ('ALTER TABLE') execute function undo()`;

test('what was applied and is still wanted is not applied again until one side changes', async () => {
  const database = await createTestDatabase();
  const dataSource = await openDataSource(database.url, [lamp(60)]);
  await database.query('create table lamp (id integer primary key, watts integer not null default 5)');
  await database.query(STUBBORN);
  const migrator = new AutoMigrator(dataSource, { execution: 'online' });
  const open = {
    kind: 'different-default',
    desired: '60',
    actual: '5',
    disposition: 'open',
    hazards: ['not-converging'],
  };
  const first = await migrator.heal();
  expect(first).toMatchObject({ outcome: 'partly-healed', open: [open] });
  expect(first.applied.map(({ sql }) => sql)).toEqual([
    'ALTER TABLE "public"."lamp" ALTER COLUMN "watts" SET DEFAULT 60',
  ]);

  // A process that starts later knows it, too.
  const second = await new AutoMigrator(dataSource, { execution: 'online' }).heal();
  expect(second).toMatchObject({ outcome: 'nothing-to-do', applied: [], open: [open] });

  // Another application's healing finds nothing of it, and does not take it for gone.
  const room = new EntitySchema({ name: 'room', columns: { id: { type: 'integer', primary: true } } });
  await new AutoMigrator(await openDataSource(database.url, [room])).heal();
  expect(await migrator.heal()).toMatchObject({ applied: [], open: [open] });

  await database.query('drop event trigger undo; alter table lamp alter column watts set default 40');
  const third = await migrator.heal();
  expect(third).toMatchObject({ outcome: 'healed', open: [] });
});
