import { FAULT_CASES } from './fault-cases.mjs';
import { interceptedDriver, numbered } from './sessions.mjs';
import { openSubject } from './subject.mjs';

// A process of its own, on the built package, that heals and kills itself at a statement.

const [url = '', at = '', moment = ''] = process.argv.slice(2);

const die = () => process.kill(process.pid, 'SIGKILL');

/** @type {import('./sessions.mjs').OnStatement} */
let onStatement = (_statement, send) => send();
const driver = interceptedDriver((statement, send) => onStatement(statement, send));
const { dataSource, migrator } = await openSubject(url, FAULT_CASES, driver);
onStatement = numbered(async (number, _statement, send) => {
  if (number !== Number(at)) return send();
  if (moment === 'before') die();
  const sent = send();
  // Once the statement has left, and whatever the server makes of it.
  if (moment === 'sent') await new Promise((resolve) => void setTimeout(resolve, 2));
  else await sent;
  return die();
});
const { outcome, error } = await migrator().heal();
await dataSource.destroy();
console.log(JSON.stringify({ outcome, error }));
