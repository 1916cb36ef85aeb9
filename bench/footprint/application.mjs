// An application in a process of its own that looks at its database. Prints what that did to the process.
import pg from 'pg';
import { openDataSource } from '../contenders/data-source.mjs';
import { makeTables } from '../fixture/tables.mjs';
import { AutoMigrator } from '../subject.mjs';
import { watchProcess } from './watch-process.mjs';

/** @import { ApplicationOrder } from './footprint.mjs' */

const order = /** @type {ApplicationOrder} */ (JSON.parse(process.argv[2] ?? ''));

const schema = 'public';
const dataSource = await openDataSource({ url: order.url, schema, tables: makeTables(order.tables) });
const somebody = new pg.Client({ connectionString: order.url });
await somebody.connect();
const migrator = new AutoMigrator(dataSource);
const watched = await watchProcess();
const boot = await watched.watch(order.isKnown ? 'second-boot' : 'first-boot', async () => {
  const { outcome, error } = await migrator.heal({ trigger: 'bootstrap' });
  if (outcome !== 'nothing-to-do') throw new Error(`The boot ended with ${outcome}: ${error}`);
});
await somebody.query(`grant select on ${schema}.${makeTables(1)[0]?.name} to public`);
const full = await watched.watch('full-check', check);
const steady = await watched.watch('steady-check', check);
console.log(JSON.stringify([boot, full, steady]));
await watched.close();
await somebody.end();
await dataSource.destroy();

async function check() {
  const { verdict, error } = await migrator.check();
  if (verdict !== 'in-sync') throw new Error(`The check ended with ${verdict}: ${error}`);
}
