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

/** A name as it stands in PostgreSQL's texts, but for the keywords, which it quotes as well. */
export function printedWord(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : quoteIdentifier(name);
}

function nameOf(token: string): string | undefined {
  if (token.startsWith('"') && token.length > 1) return token.slice(1, -1).replaceAll('""', '"');
  return /^[\p{L}_]/u.test(token) ? token : undefined;
}
