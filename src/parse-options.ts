import { inspect } from 'node:util';
import type { z } from 'zod';
import { InvalidOptionError } from './errors.js';

/** @throws InvalidOptionError naming the first option that is wrong, and its value */
export function parseOptions<Output>(schema: z.ZodType<Output>, options: unknown): Output {
  const result = schema.safeParse(options, { reportInput: true });
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const unknown =
    issue?.code === 'unrecognized_keys' ? [...issue.path, ...issue.keys.slice(0, 1)] : undefined;
  const option = (unknown ?? issue?.path ?? []).map(String).join('.') || '(all)';
  const value = unknown ? '' : `${describeValue(issue?.input)} `;
  throw new InvalidOptionError(
    option,
    `${value}${unknown ? 'is not known' : (issue?.message ?? 'is not right')}`,
  );
}

/** What may be a secret, by its key. */
const SECRET = /pass|secret|token|url/i;

/** The value as one would write it, short. */
function describeValue(value: unknown): string {
  const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value);
  const shown: unknown = isRecord
    ? Object.fromEntries(Object.entries(value).map(([key, each]) => [key, SECRET.test(key) ? '***' : each]))
    : value;
  const text = inspect(shown, { depth: 0, breakLength: Infinity });
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}
