import { InvalidOptionError } from '../errors.js';
import type { Backfill as DeclaredBackfill } from '../schema/model.js';
import { BackfillShape, toBackfill, type BackfillOptions } from './backfill-options.js';

/** Found by every copy of this package: a globally installed command line reads the entities of an application. */
const DECLARED = Symbol.for('nestjs-auto-migration:backfills');

type Declared = Map<string, DeclaredBackfill>;

/**
 * Fills a column of an entity where it is NULL, in small batches, after the column has been added and before it becomes
 * NOT NULL or unique. Values that are there are never overwritten.
 *
 * @param expression SQL over the row's own columns, sub-selects included; rows for which it is NULL stay NULL
 * @throws InvalidOptionError when an option has a value that it cannot have
 * @example
 * ```ts
 * @Backfill(`split_part(username, '.', 1)`)
 * @Column('varchar', { name: 'first_name', length: 255, nullable: true })
 * firstName!: string | null;
 * ```
 */
export function Backfill(expression: string, options: BackfillOptions = {}): PropertyDecorator {
  return (prototype, property) => {
    const given = { expression, ...options };
    const { error } = BackfillShape.safeParse(given);
    const [issue] = error?.issues ?? [];
    if (issue) {
      const option = `@Backfill of ${prototype.constructor.name}.${String(property)}`;
      const problem =
        issue.code === 'unrecognized_keys'
          ? [...issue.keys.slice(0, 1), 'is not known']
          : [...issue.path, issue.message];
      throw new InvalidOptionError(option, problem.map(String).join(' '));
    }
    declaredOn(prototype.constructor).set(String(property), toBackfill(given));
  };
}

/** What is declared on a property of a class itself, or of one that it extends. */
export function backfillOf(target: unknown, property: string): DeclaredBackfill | undefined {
  if (typeof target !== 'function' || target === Function.prototype) return undefined;
  const own = Object.hasOwn(target, DECLARED) ? declaredOn(target).get(property) : undefined;
  return own ?? backfillOf(Object.getPrototypeOf(target), property);
}

function declaredOn(target: object): Declared {
  if (!Object.hasOwn(target, DECLARED)) Object.defineProperty(target, DECLARED, { value: new Map() });
  return (target as { readonly [DECLARED]: Declared })[DECLARED];
}
