interface Declaration {
  readonly ofTable: string[];
  readonly ofProperties: Map<string | symbol, string[]>;
}

const DECLARATIONS = new WeakMap<object, Declaration>();

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
    const owner = property === undefined ? target : target.constructor;
    const declaration: Declaration = DECLARATIONS.get(owner) ?? { ofTable: [], ofProperties: new Map() };
    DECLARATIONS.set(owner, declaration);
    if (property === undefined) declaration.ofTable.push(...formerNames);
    else
      declaration.ofProperties.set(property, [
        ...(declaration.ofProperties.get(property) ?? []),
        ...formerNames,
      ]);
  };
}

/** An entity's own; a class that it extends may be another entity's, too. */
export function formerNamesOfClass(target: unknown): readonly string[] {
  return typeof target === 'function' ? (DECLARATIONS.get(target)?.ofTable ?? []) : [];
}

/** Of a property of the class or of one that it extends. */
export function formerNamesOfProperty(target: unknown, property: string): readonly string[] {
  for (let each: unknown = target; typeof each === 'function'; each = Object.getPrototypeOf(each)) {
    const names = DECLARATIONS.get(each)?.ofProperties.get(property);
    if (names) return names;
  }
  return [];
}
