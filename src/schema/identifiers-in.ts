import { quoteIdentifier } from './identifier.js';

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
 * The text as PostgreSQL will write it once a column has another name. A word that belongs to another name (behind a
 * dot), to a type (behind ::) or to a function (before a parenthesis) is none of that column's.
 */
export function withColumnRenamed(text: string, from: string, to: string): string {
  const tokens = text.match(TOKENS) ?? [];
  return tokens
    .map((token, i) => {
      const isColumn =
        nameOf(token) === from && tokens[i - 1] !== '.' && tokens[i - 1] !== ':' && tokens[i + 1] !== '(';
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
