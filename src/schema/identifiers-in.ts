import { quoteIdentifier } from './identifier.js';
import type { QualifiedName } from './model.js';

/**
 * Of a text that PostgreSQL has written: a literal, a quoted name, words that mean something together, a bare word, or any
 * other character.
 */
const TOKENS =
  /'(?:[^']|'')*'|"(?:[^"]|"")*"|EXTRACT\(\w+ FROM|(?:timestamp|time)(?:\(\d\))? with(?:out)? time zone|double precision|(?:character|bit) varying|AT TIME ZONE|[\p{L}_][\p{L}\p{N}_$]*|[^]/gu;

/** Whether a name occurs in a text of PostgreSQL's. It may err towards yes: a word can be a keyword or a function. */
export function mentions(text: string, name: string): boolean {
  return (text.match(TOKENS) ?? []).some((token) => nameOf(token) === name);
}

/**
 * Whether a text reads a column: its name is no function's (before a parenthesis), type's (behind ::, before a literal) or
 * another table's (behind its name and a dot).
 *
 * @param table null where it may be qualified by whatever name
 */
export function readsColumn(text: string, column: string, table: string | null): boolean {
  const tokens = (text.match(TOKENS) ?? []).filter((token) => token.trim() !== '');
  return tokens.some((token, i) => {
    const [before, after] = [tokens[i - 1], tokens[i + 1] ?? ''];
    if (nameOf(token) !== column || isCast(tokens, i) || after === '(' || after.startsWith("'")) return false;
    return before !== '.' || table === null || nameOf(tokens[i - 2] ?? '') === table;
  });
}

/** What PostgreSQL reads where an application has not quoted a name. */
export function withCaseFolded(text: string): string {
  const tokens = text.match(TOKENS) ?? [];
  return tokens.map((token) => (/^["']/.test(token) ? token : token.toLowerCase())).join('');
}

/** A single colon is that of a slice. */
function isCast(tokens: readonly string[], position: number): boolean {
  return tokens[position - 1] === ':' && tokens[position - 2] === ':';
}

/** Whether a text names a type: as a whole, or behind ::. */
export function namesType(text: string, type: string): boolean {
  const tokens = text.match(TOKENS) ?? [];
  return tokens.some((token, i) => {
    if (nameOf(token) !== type) return false;
    const start = tokens[i - 1] === '.' ? i - 2 : i;
    return start === 0 || isCast(tokens, start);
  });
}

/** Whether a text names a relation, which PostgreSQL qualifies where the search path does not have it. */
export function namesRelation(text: string, { schema, name }: QualifiedName): boolean {
  const tokens = text.match(TOKENS) ?? [];
  return tokens.some(
    (token, i) => nameOf(token) === name && tokens[i - 1] === '.' && nameOf(tokens[i - 2] ?? '') === schema,
  );
}

/**
 * The text as PostgreSQL will write it once a column has another name. A word that belongs to another name (behind a
 * dot), to a type (behind ::) or to a function (before a parenthesis) is none of that column's.
 */
export function withColumnRenamed(text: string, from: string, to: string): string {
  const tokens = text.match(TOKENS) ?? [];
  return tokens
    .map((token, i) => {
      const isColumn =
        nameOf(token) === from && tokens[i - 1] !== '.' && !isCast(tokens, i) && tokens[i + 1] !== '(';
      return isColumn ? to : token;
    })
    .join('');
}

/** The text with every word quoted, so that it is the same whether PostgreSQL or we have quoted a name in it. */
export function withNamesQuoted(text: string): string {
  const tokens = text.match(TOKENS) ?? [];
  return tokens.map((token) => (/^[\p{L}_]/u.test(token) ? quoteIdentifier(token) : token)).join('');
}

const LITERAL = `'(?:[^']|'')*'`;
const QUOTED = `"(?:[^"]|"")*"`;
const LIMITS = String.raw`(?:\(\d+(?:,\d+)?\))?(?:\[\])*`;
const TYPE = String.raw`::(?:${QUOTED}|[\w$]+)(?:\.(?:${QUOTED}|[\w$]+))?(?: varying| precision)?(?:\(\d\))?(?: with(?:out)? time zone)?${LIMITS}`;
const CASTS = new RegExp(
  String.raw`(${LITERAL}|(?<![\w$])\(?-?\d[\d.]*\)?)(?:${TYPE})+|${LITERAL}|${QUOTED}|(::(?:text|bpchar|character(?: varying)?)${LIMITS})`,
  'g',
);
const LONE = new RegExp(
  String.raw`${LITERAL}|(?<![\w"$])\((${LITERAL}|${QUOTED}|[\p{L}_$\d]+|\(ARRAY\[[^\]]*\]\))\)`,
  'gu',
);

/**
 * The text without the casts that PostgreSQL writes where it has made a column's type and a literal's one: they become
 * others when the column gets another type. Those that an application has written for other than strings stay.
 */
export function withoutCasts(text: string): string {
  const bare = text.replace(CASTS, (match, value?: string, ofString?: string) =>
    ofString === undefined ? (value ?? match) : '',
  );
  const once = bare.replace(LONE, (match, alone?: string) => alone ?? match);
  return once === text ? text : withoutCasts(once);
}

/** A name as it stands in PostgreSQL's texts, but for the keywords, which it quotes as well. */
export function printedWord(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : quoteIdentifier(name);
}

function nameOf(token: string): string | undefined {
  if (token.startsWith('"') && token.length > 1) return token.slice(1, -1).replaceAll('""', '"');
  return /^[\p{L}_]/u.test(token) ? token : undefined;
}
