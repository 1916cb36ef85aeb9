interface ParsedType {
  readonly base: string;
  readonly arguments: readonly number[];
}

/** `numeric(10,2)` and `timestamp(3) without time zone`: the arguments stand in the middle. */
function parseType(type: string): ParsedType {
  const [, before = '', list = '', after = ''] = /^([^(]*)(?:\(([\d,]+)\))?(.*)$/.exec(type) ?? [];
  return { base: `${before}${after}`, arguments: list ? list.split(',').map(Number) : [] };
}

/** Types whose only argument is a limit, and which are changed in the catalog alone when the limit rises. */
const LIMITED = new Set([
  'character varying',
  'bit varying',
  'timestamp without time zone',
  'timestamp with time zone',
  'time without time zone',
  'time with time zone',
  'interval',
]);

/**
 * Whether every value of one type is a value of the other, and PostgreSQL changes it without rewriting the table or
 * rebuilding an index.
 */
export function isWidened(from: string, to: string): boolean {
  const [source, target] = [parseType(from), parseType(to)];
  // Two names of one type, but for the limit.
  if (source.base === 'character varying' && to === 'text') return true;
  if (from === 'text' && to === 'character varying') return true;
  if (from === 'cidr' && to === 'inet') return true;
  if (source.base !== target.base) return false;
  if (target.arguments.length === 0 && (LIMITED.has(target.base) || target.base === 'numeric'))
    return source.arguments.length > 0;
  const [limit = NaN, scale = 0] = source.arguments;
  const [newLimit = NaN, newScale = 0] = target.arguments;
  if (LIMITED.has(source.base)) return newLimit >= limit;
  return source.base === 'numeric' && newScale === scale && newLimit >= limit;
}

/** Types of which each holds every value of those before it, exactly. */
const WIDER: readonly (readonly string[])[] = [
  ['smallint', 'integer', 'bigint', 'numeric'],
  ['real', 'double precision'],
];

/** Whether every value of one type is a value of the other, though PostgreSQL has to write each row anew. */
export function isWidenedByRewrite(from: string, to: string): boolean {
  return WIDER.some((types) => types.includes(from) && types.indexOf(to) > types.indexOf(from));
}
