import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { EntitySchema } from 'typeorm';
import { expect, test } from 'vitest';
import { AutoMigrator } from '../../src/auto-migrator.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase } from '../setup/database.js';
import { closeAfter } from '../setup/open-resources.js';

const id = { type: 'integer', primary: true } as const;
const guest = new EntitySchema({
  name: 'guest',
  columns: { id: { ...id, primaryKeyConstraintName: 'guest_pkey' } },
});
const stay = (type: 'integer' | 'bigint' | null) =>
  new EntitySchema({
    name: 'stay',
    columns: {
      id: { ...id, primaryKeyConstraintName: 'stay_pkey' },
      ...(type && {
        guest_id: { type, nullable: true, foreignKey: { target: 'guest', name: 'stay_guest' } },
      }),
    },
  });
const GUEST = 'create table guest (id integer constraint guest_pkey primary key)';
const STAY = 'create table stay (id integer constraint stay_pkey primary key';

test.each([
  ['a foreign key', `${GUEST}; ${STAY}, guest_id integer)`, stay('integer')],
  ['a column with a foreign key', `${GUEST}; ${STAY})`, stay('integer')],
  ['a table with a foreign key', GUEST, stay('integer')],
  [
    'a type of a column with a foreign key',
    `${GUEST}; ${STAY}, guest_id integer constraint stay_guest references guest)`,
    stay('bigint'),
  ],
])(
  'nobody queues behind the undo of %s during a vacuum of what it points to',
  async (_title, legacy, entity) => {
    const database = await createTestDatabase();
    await database.query(legacy);
    const migrator = new AutoMigrator(await openDataSource(database.url, [guest, entity]), {
      execution: 'online',
    });
    const healed = await migrator.heal();
    expect(healed).toMatchObject({ outcome: 'healed', failed: [] });
    // As VACUUM does.
    const vacuum = new pg.Client({ connectionString: database.url });
    await vacuum.connect();
    closeAfter('test', () => vacuum.end());
    await vacuum.query('begin; lock table guest in share update exclusive mode');
    const undoing = migrator.rollback(healed.runId ?? '', 'ada');
    const queued: object[] = [];
    for (let look = 0; look < 30; look++) {
      queued.push(
        ...(await database.query(
          `select mode from pg_locks where relation = 'guest'::regclass and not granted`,
        )),
      );
      await sleep(50);
    }
    await vacuum.query('commit');
    expect(await undoing).toMatchObject({ outcome: 'undone', failed: [] });
    expect(queued).toEqual([]);
  },
);
