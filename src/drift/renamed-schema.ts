import { foreignKeyDefinition } from '../schema/foreign-key.js';
import { isSameName, quoteList } from '../schema/identifier.js';
import { printedWord, withColumnRenamed } from '../schema/identifiers-in.js';
import type { Column, Constraint, Enum, Index, QualifiedName, Schema, Table } from '../schema/model.js';

/** The schema once a table has its new name. Foreign keys that point to it follow. */
export function withTableAs(
  schema: Schema,
  { schema: namespace, name }: QualifiedName,
  from: string,
): Schema {
  const old = { schema: namespace, name: from };
  const tables = schema.tables.map((table): Table => {
    const constraints = table.constraints.map((constraint) =>
      constraint.references && isSameName(constraint.references, old)
        ? pointingTo(constraint, { ...constraint.references, name })
        : constraint,
    );
    if (!isSameName(table, old)) return { ...table, constraints };
    const partitions = table.partitions.map((partition) =>
      isSameName(partition.parent, old) ? { ...partition, parent: { schema: namespace, name } } : partition,
    );
    return { ...table, name, constraints, partitions };
  });
  return { ...schema, tables };
}

/** The schema once a column has its new name. Keys, checks, indexes and generated columns over it follow. */
export function withColumnAs(schema: Schema, table: Table, from: string, to: string): Schema {
  const spelling = spellingOf(table, to);
  const inText = (text: string): string => withColumnRenamed(text, from, spelling);
  const inList = (names: readonly string[]): string[] => names.map((name) => (name === from ? to : name));
  const ofConstraint = (constraint: Constraint, isOwn: boolean): Constraint => {
    const { references, columns, definition } = constraint;
    if (!references)
      return isOwn ? { ...constraint, columns: inList(columns), definition: inText(definition) } : constraint;
    const pointsHere = isSameName(references, table);
    const renamed = isOwn ? { ...constraint, columns: inList(columns) } : constraint;
    return pointingTo(
      renamed,
      pointsHere ? { ...references, columns: inList(references.columns) } : references,
      constraint,
    );
  };
  const ofIndex = (index: Index): Index => ({
    ...index,
    definition: inText(index.definition),
    uniqueKeys: index.uniqueKeys.map(inText),
    predicate: index.predicate === null ? null : inText(index.predicate),
  });
  const ofColumn = (column: Column): Column => ({
    ...column,
    name: column.name === from ? to : column.name,
    expression:
      column.generated && column.expression !== null ? inText(column.expression) : column.expression,
  });
  const tables = schema.tables.map((each): Table => {
    const isOwn = isSameName(each, table);
    const constraints = each.constraints.map((constraint) => ofConstraint(constraint, isOwn));
    if (!isOwn) return { ...each, constraints };
    return { ...each, constraints, columns: each.columns.map(ofColumn), indexes: each.indexes.map(ofIndex) };
  });
  return { ...schema, tables };
}

/** A foreign key is written by us on both sides, so that its head can be written anew and its tail kept. */
function pointingTo(
  constraint: Constraint,
  references: NonNullable<Constraint['references']>,
  before: Constraint = constraint,
): Constraint {
  const head = ({ columns }: Constraint, target: NonNullable<Constraint['references']>): string =>
    foreignKeyDefinition({
      columns,
      references: target,
      onDelete: 'NO ACTION',
      onUpdate: 'NO ACTION',
      deferrable: null,
    });
  const old = head(before, before.references ?? references);
  return {
    ...constraint,
    references,
    definition: head(constraint, references) + before.definition.slice(old.length),
  };
}

/** PostgreSQL quotes keywords, too; how it writes the name stands in what is wanted. */
function spellingOf({ constraints, indexes, columns }: Table, name: string): string {
  const quoted = quoteList([name]);
  const texts = [
    ...constraints.filter(({ references }) => !references).map(({ definition }) => definition),
    ...indexes.map(({ definition }) => definition),
    ...columns.map(({ expression }) => expression ?? ''),
  ];
  return texts.some((text) => text.includes(quoted)) ? quoted : printedWord(name);
}

/** An enum type that is to be called otherwise, and the column whose type it is. */
export interface RenamedType {
  readonly found: Enum;
  readonly to: string;
  readonly table: QualifiedName;
  readonly column: string;
}

/**
 * The schema once enums are called as the entities want them: those of columns in renamed tables whose old name nobody
 * wants any more and whose new name is free.
 */
export function withTypesAs(
  desired: Schema,
  actual: Schema,
  tables: readonly QualifiedName[],
): { readonly schema: Schema; readonly renamed: readonly RenamedType[] } {
  const renamed: RenamedType[] = [];
  let schema = actual;
  for (const wanted of desired.tables.filter((table) => tables.some((each) => isSameName(each, table)))) {
    for (const { name: column, type } of wanted.columns) {
      const found = schema.tables
        .find((table) => isSameName(table, wanted))
        ?.columns.find((each) => each.name === column);
      const to = enumOf(desired, type);
      const from = found && enumOf(schema, found.type);
      if (!to || !from || from.schema !== to.schema || isThere(schema, to) || isThere(desired, from))
        continue;
      renamed.push({ found: from, to: to.name, table: wanted, column });
      schema = withTypeAs(schema, from, to.name);
    }
  }
  return { schema, renamed };
}

function isThere({ enums }: Schema, name: QualifiedName): boolean {
  return enums.some((each) => isSameName(each, name));
}

function enumOf({ enums }: Schema, type: string): Enum | undefined {
  return enums.find((each) => printed(each) === type.replace(/(\[\])+$/, ''));
}

function printed({ schema, name }: QualifiedName): string {
  return `${printedWord(schema)}.${printedWord(name)}`;
}

function withTypeAs(schema: Schema, from: Enum, name: string): Schema {
  const [old, now] = [printed(from), printed({ schema: from.schema, name })];
  const pattern = new RegExp(`(?<![\\w"$.])${old.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')}(?![\\w"$])`, 'g');
  const inText = (text: string): string => text.replace(pattern, () => now);
  const ofDefinition = <Item extends Constraint | Index>(item: Item): Item => ({
    ...item,
    definition: inText(item.definition),
  });
  const tables = schema.tables.map((table): Table => ({
    ...table,
    columns: table.columns.map((column) => ({
      ...column,
      type: inText(column.type),
      expression: column.expression === null ? null : inText(column.expression),
    })),
    constraints: table.constraints.map(ofDefinition),
    indexes: table.indexes.map(ofDefinition),
  }));
  const enums = schema.enums.map((each) => (isSameName(each, from) ? { ...each, name } : each));
  return { ...schema, enums, tables };
}
