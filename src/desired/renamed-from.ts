/** Found by every copy of this package: a globally installed command line reads the entities of an application. */
const DECLARED = Symbol.for('nestjs-auto-migration:former-names');

interface Declaration {
  readonly ofTable: string[];
  readonly ofProperties: Map<string | symbol, string[]>;
}

/**
 * Says what an entity's table, or the column of a property, was called in the database before. Where the old one is
 * there and the new one is not it is renamed, with its rows, and not added.
 *
 * @param formerNames names in the database, as it has them; several where it was renamed more than once
 * @example
 * ```ts
 * @Entity('staff')
 * @RenamedFrom('employee')
 * class Staff {
 *   @Column({ name: 'first_name' })
 *   @RenamedFrom('forename', 'vorname')
 *   firstName!: string;
 * }
 * ```
 */
export function RenamedFrom(
  ...formerNames: [string, ...string[]]
): (target: object, property?: string | symbol) => void {
  return (target, property) => {
    const { ofTable, ofProperties } = declaredOn(property === undefined ? target : target.constructor);
    if (property === undefined) ofTable.push(...formerNames);
    else ofProperties.set(property, [...(ofProperties.get(property) ?? []), ...formerNames]);
  };
}

/** An entity's own; a class that it extends may be another entity's, too. */
export function formerNamesOfClass(target: unknown): readonly string[] {
  return typeof target === 'function' ? (declarationOf(target)?.ofTable ?? []) : [];
}

/** Of a property of the class or of one that it extends. */
export function formerNamesOfProperty(target: unknown, property: string): readonly string[] {
  for (let each: unknown = target; typeof each === 'function'; each = Object.getPrototypeOf(each)) {
    const names = declarationOf(each)?.ofProperties.get(property);
    if (names) return names;
  }
  return [];
}

function declaredOn(owner: object): Declaration {
  const value: Declaration = declarationOf(owner) ?? { ofTable: [], ofProperties: new Map() };
  if (!Object.hasOwn(owner, DECLARED)) Object.defineProperty(owner, DECLARED, { value });
  return value;
}

function declarationOf(owner: object): Declaration | undefined {
  return Object.hasOwn(owner, DECLARED)
    ? (owner as { readonly [DECLARED]: Declaration })[DECLARED]
    : undefined;
}
