import { describeError } from '../errors.js';
import { queryRows, run, type Connection } from '../schema/connection.js';
import { quoteIdentifier } from '../schema/identifier.js';
import type { QualifiedName, Refusal } from '../schema/model.js';
import type { RenderedView } from './render-views.js';
import type { Places } from './shadow-places.js';

/**
 * Builds views over the shadow's tables. Unqualified names find them by the search path, qualified ones are rewritten.
 * What a view builds on need not be declared: one that fails is tried again after the others, until none gets further.
 *
 * @returns those that PostgreSQL does not accept
 */
export async function buildViews(
  connection: Connection,
  views: readonly RenderedView[],
  known: readonly QualifiedName[],
  places: Places,
): Promise<Refusal[]> {
  await setSearchPath(connection, places);
  let waiting = [...views];
  while (waiting.length > 0) {
    const failures = new Map<RenderedView, unknown>();
    for (const view of waiting) {
      const failure = await tryBuild(connection, view, known, places);
      if (failure !== undefined) failures.set(view, failure);
    }
    if (failures.size === waiting.length) return [...failures].map(([view, error]) => refusal(view, error));
    waiting = [...failures.keys()];
  }
  return [];
}

function refusal({ schema, name }: QualifiedName, error: unknown): Refusal {
  return { schema, name, reason: describeError(error), constraint: null };
}

async function tryBuild(
  connection: Connection,
  view: RenderedView,
  known: readonly QualifiedName[],
  places: Places,
): Promise<unknown> {
  await run(connection, 'savepoint view');
  try {
    for (const statement of view.statements) {
      await run(connection, intoShadow(statement, known, places));
    }
    return undefined;
  } catch (error) {
    if (connection.lost.aborted) throw error;
    await run(connection, 'rollback to savepoint view');
    return error;
  }
}

/** The application's own path, each schema behind the one that stands for it. */
async function setSearchPath(connection: Connection, places: Places): Promise<void> {
  const [row] = await queryRows<{ path: string[] }>(
    connection,
    'select current_schemas(false)::text[] as path',
  );
  const path = (row?.path ?? []).flatMap((schema) => [places.get(schema), schema]);
  const shadowed = [...path, ...places.values()].filter((schema) => schema !== undefined);
  await run(connection, `set local search_path = ${shadowed.map(quoteIdentifier).join(', ')}`);
}

/** `sales.thing` and `"sales"."thing"` would point at the live objects. */
function intoShadow(statement: string, known: readonly QualifiedName[], places: Places): string {
  return known.reduce((text, { schema, name }) => {
    const place = places.get(schema);
    if (place === undefined) return text;
    const pattern = new RegExp(
      `(?<![\\w"$.])${spellings(schema)}\\s*\\.\\s*${spellings(name)}(?![\\w"$])`,
      'g',
    );
    return text.replace(pattern, () => `${quoteIdentifier(place)}.${quoteIdentifier(name)}`);
  }, statement);
}

/** Quoted, or bare where that means the same. */
function spellings(name: string): string {
  const quoted = escapeForRegExp(quoteIdentifier(name));
  return /^[a-z_][a-z0-9_$]*$/.test(name) ? `(?:${quoted}|${escapeForRegExp(name)})` : quoted;
}

function escapeForRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
