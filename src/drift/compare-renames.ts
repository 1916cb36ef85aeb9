import { displayName, isSameName } from '../schema/identifier.js';
import { mentions } from '../schema/identifiers-in.js';
import type { QualifiedName, Schema, Table } from '../schema/model.js';
import type { Difference } from './drift-kind.js';
import { findRenames, type Renamed, type Renaming } from './renames.js';

/**
 * What is called otherwise by the entities' own word is compared as the same object: the comparison runs against the
 * database as it will be then, and what it finds says which renames it presumes.
 */
export class Renames {
  /** What to compare with. */
  readonly actual: Schema;
  private readonly names = new Map<Renaming, Name[]>();
  private readonly oldViews: readonly QualifiedName[];

  private constructor(
    private readonly desired: Schema,
    private readonly renamed: Renamed,
  ) {
    this.actual = renamed.actual;
    this.oldViews = oldViewsIn(desired, renamed);
  }

  /** Null where the entities say nothing of the kind that matters here. */
  static between(desired: Schema, actual: Schema): Renames | null {
    const isDeclared = desired.tables.some(
      ({ formerNames, columns }) => formerNames ?? columns.some((column) => column.formerNames),
    );
    if (!isDeclared) return null;
    const renamed = findRenames(desired, actual);
    return renamed.renamings.length + renamed.unclear.length === 0 ? null : new Renames(desired, renamed);
  }

  /** What is left of differences, each with the renames that it presumes. Keeps the names that change along with one. */
  assign(differences: readonly Difference[]): Difference[] {
    return differences.flatMap((difference) => {
      if (this.isUnclear(difference) || this.isOldView(difference)) return [];
      const presumedIn = (list: readonly Renaming[]): Renaming[] =>
        list.filter((renaming) => this.presumes(difference, renaming));
      const [clear, unclear] = [presumedIn(this.renamed.renamings), presumedIn(this.renamed.unclear)];
      const presumed = [...clear, ...unclear];
      if (presumed.length === 0) return [difference];
      const last = clear.at(-1);
      if (difference.kind !== 'named-differently' || unclear.length > 0 || !last)
        return [{ ...difference, presumes: presumed.map(({ finding }) => finding.object) }];
      const { is, wanted, found } = difference;
      this.names.set(last, [...(this.names.get(last) ?? []), { is, wanted, found }]);
      return [];
    });
  }

  /** The renames themselves, once everything else has been assigned. */
  findings(): Difference[] {
    const { renamings, unclear } = this.renamed;
    return [
      ...renamings.map((renaming): Difference => {
        const ofTable = [...renamings, ...unclear].find(
          (other) => other.column === null && isSameTable(other, renaming),
        );
        const presumes = renaming.column !== null && ofTable ? { presumes: [ofTable.finding.object] } : {};
        return { ...renaming.finding, names: this.names.get(renaming) ?? [], ...presumes };
      }),
      ...unclear.map(({ finding }) => finding),
    ];
  }

  /** A new object in place of one that may be the old one would only make it worse. */
  private isUnclear({ kind, object }: Difference): boolean {
    const isNew = kind === 'missing-table' || kind === 'missing-column';
    return isNew && this.renamed.unclear.some(({ finding }) => finding.object === object);
  }

  private isOldView({ table }: Difference): boolean {
    return table !== null && this.oldViews.some((view) => isSameName(view, table));
  }

  private presumes(difference: Difference, renaming: Renaming): boolean {
    if (difference.table === null) return this.isTypeIn(difference, renaming);
    // It goes or stays for itself, whatever its columns are called.
    if (difference.kind === 'extra-table') return false;
    const text = this.textOf(difference);
    const isOfTable = isSameName(difference.table, renaming.table);
    if (!isOfTable && !mentions(text, renaming.table.name)) return false;
    if (renaming.column === null) return true;
    return difference.object === renaming.finding.object || mentions(text, renaming.column);
  }

  /** Of an unclear object nobody knows yet which type is its own: all that it would have wait. */
  private isTypeIn(difference: Difference, { finding, table, column }: Renaming): boolean {
    if (finding.conflict === null)
      return finding.types.some(({ found, to }) => displayName(found.schema, to) === difference.object);
    if (difference.kind !== 'missing-enum' && difference.kind !== 'different-enum') return false;
    const { name } = difference.wanted;
    const columns = this.desired.tables.find((each) => isSameName(each, table))?.columns ?? [];
    return columns.some((each) => (column ?? each.name) === each.name && mentions(each.type, name));
  }

  /** For a name the definition of what bears it. */
  private textOf(difference: Difference): string {
    const { kind, table, desired, actual } = difference;
    if (kind !== 'named-differently') return `${desired} ${actual}`;
    const wanted = this.desired.tables.find((each) => table !== null && isSameName(each, table));
    const items = [...(wanted?.constraints ?? []), ...(wanted?.indexes ?? [])];
    return items.find(({ name }) => name === difference.wanted)?.definition ?? '';
  }
}

/**
 * PostgreSQL writes a view anew when what it selects from is renamed; only then can it be compared, with its indexes and
 * the views on it.
 */
function oldViewsIn(desired: Schema, { actual, renamings }: Renamed): QualifiedName[] {
  const texts = new Map(
    actual.tables.map((table) => [displayName(table.schema, table.name), table.definition]),
  );
  const old: QualifiedName[] = [];
  const isOld = ({ schema, name, definition }: Table): boolean => {
    const found = texts.get(displayName(schema, name)) ?? null;
    if (definition === null || definition === found) return false;
    const isRenamed = renamings.some(({ finding }) => mentions(found ?? '', finding.from));
    return isRenamed || old.some((view) => mentions(definition, view.name));
  };
  // Views on views follow one another in no order that is known here.
  let before: number;
  do {
    before = old.length;
    old.push(...desired.tables.filter((table) => !old.includes(table) && isOld(table)));
  } while (old.length > before);
  return old;
}

type Name = Pick<Difference<'named-differently'>, 'is' | 'wanted' | 'found'>;

function isSameTable(one: Renaming, other: Renaming): boolean {
  return isSameName(one.table, other.table);
}
