const HEAD = '(ARRAY[';
const NESTED = 'ARRAY[';

/**
 * PostgreSQL prints `status IN ('a', 'b')` on a varchar as `(ARRAY['a'::character varying, …])::text[]`, but reads that
 * text back with the cast on each element, and prints it so from then on: after a restore, or where we carried it out.
 * Here all such texts are brought into the second form, which stays what it is.
 */
export function castElements(text: string): string {
  const start = text.indexOf(HEAD);
  if (start < 0) return text;
  const before = text.slice(0, start);
  const from = start + HEAD.length;
  const elements = elementsAt(text, from);
  const end = from + elements.join(',').length + 1;
  const [cast, type] = /^\)::([^()[\]]+(?:\([\d,]+\))?[^()[\]]*)\[\]/.exec(text.slice(end)) ?? [];
  if (cast === undefined) return `${before}${HEAD}${castElements(text.slice(from))}`;
  return `${before}${castArray(elements, type ?? '')}${castElements(text.slice(end + cast.length))}`;
}

function castArray(elements: readonly string[], type: string): string {
  const cast = elements.map((element) => {
    const text = element.trim();
    return text.startsWith(NESTED)
      ? castArray(elementsAt(text, NESTED.length), type)
      : `(${castElements(text)})::${type}`;
  });
  return `ARRAY[${cast.join(', ')}]`;
}

/** The elements of a list in brackets, as they stand there. */
function elementsAt(text: string, from: number): string[] {
  const elements: string[] = [];
  let depth = 0;
  let start = from;
  let quote = '';
  for (let i = from; i < text.length; i++) {
    const character = text.charAt(i);
    // A doubled quote ends and begins anew.
    if (quote !== '') quote = character === quote ? '' : quote;
    else if (character === "'" || character === '"') quote = character;
    else if (character === '(' || character === '[') depth++;
    else if (depth > 0 && (character === ')' || character === ']')) depth--;
    else if (depth === 0 && (character === ',' || character === ']')) {
      elements.push(text.slice(start, i));
      start = i + 1;
      if (character === ']') break;
    }
  }
  return elements;
}
