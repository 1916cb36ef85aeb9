import type { DataSource } from 'typeorm';
import { displayName } from '../schema/identifier.js';
import type { Backfill, QualifiedName, Schema } from '../schema/model.js';
import { toBackfill, type BackfillDeclaration } from './backfill-options.js';
import { backfillOf } from './backfill.decorator.js';
import { defaultSchema, tableOf } from './table-of.js';

/** What is declared about a column beside the schema. */
export interface Declaration {
  readonly table: QualifiedName;
  readonly column: string;
  readonly backfill: Backfill;
}

/** A schema with what stands beside it in the entities. */
export interface DeclaredSchema {
  readonly schema: Schema;
  /** What is declared for columns that it lacks. */
  readonly left: readonly Declaration[];
}

/** All that decorators and options declare. An option counts for more than a decorator. */
export function declarationsOf(
  dataSource: DataSource,
  options: readonly BackfillDeclaration[],
): Declaration[] {
  const all = [...fromDecorators(dataSource), ...options.map((option) => fromOption(dataSource, option))];
  return [...new Map(all.map((declaration) => [keyOf(declaration), declaration])).values()];
}

/** The schema with its columns annotated, and what is declared for columns that it lacks. */
export function annotate(schema: Schema, declarations: readonly Declaration[]): DeclaredSchema {
  if (declarations.length === 0) return { schema, left: [] };
  const left = new Map(declarations.map((declaration) => [keyOf(declaration), declaration]));
  const tables = schema.tables.map((table) => {
    const columns = table.columns.map((column) => {
      const key = keyOf({ table, column: column.name });
      const declaration = left.get(key);
      left.delete(key);
      return declaration ? { ...column, backfill: declaration.backfill } : column;
    });
    return { ...table, columns };
  });
  return { schema: { ...schema, tables }, left: [...left.values()] };
}

export function describeDeclaration({ table, column }: Declaration): string {
  return `The backfill of ${displayName(table.schema, table.name, column)} fills nothing: there is no such column`;
}

function fromDecorators(dataSource: DataSource): Declaration[] {
  return dataSource.entityMetadatas.flatMap((metadata) => {
    if (!metadata.synchronize || metadata.tableType === 'view') return [];
    const table = tableOf(dataSource, metadata);
    return metadata.columns.flatMap(({ databaseName, propertyName, embeddedMetadata, target }) => {
      // A property of an embedded class is declared there, under its own name.
      const declaredBy = embeddedMetadata ? target : metadata.target;
      const backfill = backfillOf(declaredBy, propertyName);
      return backfill ? [{ table, column: databaseName, backfill }] : [];
    });
  });
}

function fromOption(
  dataSource: DataSource,
  { table, column, ...backfill }: BackfillDeclaration,
): Declaration {
  const dot = table.indexOf('.');
  const name = {
    schema: dot < 0 ? defaultSchema(dataSource) : table.slice(0, dot),
    name: table.slice(dot + 1),
  };
  return { table: name, column, backfill: toBackfill(backfill) };
}

function keyOf({ table: { schema, name }, column }: Pick<Declaration, 'table' | 'column'>): string {
  return JSON.stringify([schema, name, column]);
}
