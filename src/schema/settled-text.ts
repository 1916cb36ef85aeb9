import { castElements } from './array-casts.js';
import { flattenConditions } from './nested-conditions.js';

/**
 * What PostgreSQL prints of what it has read in somebody's words, it may print otherwise once it has read that: after a
 * restore, or where we carried it out. This is the form in which it stays.
 */
export function settledText(text: string): string {
  return flattenConditions(castElements(text));
}
