import { quoteIdentifier, quoteLiteral } from './identifier.js';

/**
 * What PostgreSQL's own words hang on besides the catalog. Each session may be set otherwise, by its role, its database
 * or its client, and yet all texts that are compared, remembered or executed have to be written and read in one way.
 */
const SETTINGS = {
  // With only pg_catalog in the path every other name is printed qualified.
  search_path: 'pg_catalog',
  quote_all_identifiers: 'off',
  standard_conforming_strings: 'on',
  DateStyle: 'ISO, YMD',
  IntervalStyle: 'postgres',
  TimeZone: 'UTC',
  extra_float_digits: '1',
  bytea_output: 'hex',
};

/**
 * The statement that makes a transaction read SQL of the application's as the application would, with the tables of one
 * schema first: what the role, the database and the data source have set.
 */
export function setApplicationWording(schema: string): string {
  const names = Object.keys(SETTINGS).map((name) => `'${name}'`);
  const first = quoteLiteral(`${quoteIdentifier(schema)}, `);
  return `select pg_catalog.set_config(name, case name when 'search_path' then ${first} || reset_val else reset_val end, true)
    from pg_catalog.pg_settings where name in (${names.join(', ')})`;
}

/** The statement that makes a transaction or a whole session speak that way. */
export function setWording(scope: 'transaction' | 'session'): string {
  const isLocal = scope === 'transaction';
  const calls = Object.entries(SETTINGS).map(
    ([name, value]) => `pg_catalog.set_config('${name}', '${value}', ${isLocal})`,
  );
  return `select ${calls.join(', ')}`;
}
