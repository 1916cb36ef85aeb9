interface Group {
  /** Where its bracket opens. */
  readonly start: number;
  /** What joins its operands; null where it has one. */
  joint: string | null;
  /** Its first operand, where that is a group of its own. */
  first: { readonly start: number; readonly end: number; readonly joint: string | null } | null;
}

/**
 * PostgreSQL prints `a BETWEEN 1 AND 2 AND b` as `(((a >= 1) AND (a <= 2)) AND b)`, but reads that text back as one AND of
 * three, and prints it so from then on. So it is with whatever becomes an AND or an OR and stands first in another one: a
 * NOT IN or an equality of rows, too. Here all such texts are brought into the second form, which stays what it is.
 */
export function flattenConditions(text: string): string {
  if (!text.includes('((') || !/\) (?:AND|OR)\s/.test(text)) return text;
  const needless = needlessBrackets(text).toSorted((one, other) => one - other);
  return [...needless, text.length]
    .map((end, i) => text.slice(i === 0 ? 0 : (needless[i - 1] ?? 0) + 1, end))
    .join('');
}

function needlessBrackets(text: string): number[] {
  const needless: number[] = [];
  const open: Group[] = [];
  // Brackets and joints, but none within quotes, where a doubled quote ends and begins anew. A CASE has a line of its own.
  for (const { 0: token, index } of text.matchAll(/'[^']*'|"[^"]*"|[()]| (?:AND|OR)(?=\s)/g)) {
    const group = open.at(-1);
    if (token === '(') open.push({ start: index, joint: null, first: null });
    else if (token === ')') {
      const closed = open.pop();
      if (closed) needless.push(...firstOfSameKind(closed));
      const outer = open.at(-1);
      if (closed && outer?.start === closed.start - 1)
        outer.first = { start: closed.start, end: index, joint: closed.joint };
    } else if (group && token.startsWith(' ')) group.joint ??= token;
  }
  return needless;
}

function firstOfSameKind({ joint, first }: Group): number[] {
  return first !== null && joint !== null && first.joint === joint ? [first.start, first.end] : [];
}
