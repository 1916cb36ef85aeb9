import { quoteLiteral, quoteQualified } from '../schema/identifier.js';
import { propose, type Planner } from './proposal.js';
import { step, tableOf } from './statements.js';
import { unit } from './step.js';

export const planMissingNote: Planner<'missing-note'> = (difference) => {
  const { wanted } = difference;
  const notes = quoteQualified(tableOf(difference));
  const { type, schema, table, name, value } = wanted;
  const tableLiteral = table === null ? 'NULL' : quoteLiteral(table);
  const same = `type = ${quoteLiteral(type)} AND schema = ${quoteLiteral(schema)} AND "table" IS NOT DISTINCT FROM ${tableLiteral} AND name = ${quoteLiteral(name)}`;
  // TypeORM names the database for columns alone.
  const database = table === null ? 'NULL' : 'current_database()';
  const values = [
    quoteLiteral(type),
    database,
    quoteLiteral(schema),
    tableLiteral,
    quoteLiteral(name),
    quoteLiteral(value),
  ];
  const insert = `INSERT INTO ${notes} (type, database, schema, "table", name, value) VALUES (${values.join(', ')})`;
  return propose([
    unit(
      'note',
      step(difference, "drop TypeORM's old note", `DELETE FROM ${notes} WHERE ${same}`, 'NONE'),
      step(difference, "write TypeORM's note", insert, 'NONE'),
    ),
  ]);
};
