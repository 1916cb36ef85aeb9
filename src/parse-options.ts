import { inspect } from 'node:util';
import type { z } from 'zod';
import { InvalidOptionError, redact } from './errors.js';

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

/** The value as one would write it, short. What an object holds may be a secret under any key. */
function describeValue(value: unknown): string {
  const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value);
  const keys = isRecord ? Object.keys(value).map((key) => `${key}: …`) : [];
  const written =
    keys.length > 0 ? `{ ${keys.join(', ')} }` : inspect(value, { depth: 0, breakLength: Infinity });
  const text = redact(written);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}
