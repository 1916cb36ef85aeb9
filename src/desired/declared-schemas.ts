import type { DataSource } from 'typeorm';
import type { Schema } from '../schema/model.js';
import type { BackfillDeclaration } from './backfill-options.js';
import { annotate, declarationsOf, type DeclaredSchema } from './declarations.js';
import { describeUnknown, withFormerNames, type FormerNames } from './former-names.js';

interface Declared extends DeclaredSchema {
  /** What is declared for tables and columns that no entity asks for. */
  readonly unknown: readonly string[];
}

/** Adds to the desired schema what decorators and options declare; only once, as thousands of tables take a while. */
export class DeclaredSchemas {
  private last: { readonly of: Schema; readonly entities: unknown; readonly declared: Declared } | undefined;

  constructor(
    private readonly dataSource: DataSource,
    private readonly options: {
      readonly renamedFrom: FormerNames;
      readonly backfills: readonly BackfillDeclaration[];
    },
  ) {}

  of(schema: Schema): Declared {
    const entities = this.dataSource.entityMetadatas;
    if (this.last?.of === schema && this.last.entities === entities) return this.last.declared;
    const named = withFormerNames(schema, this.dataSource, this.options.renamedFrom);
    const declared = {
      ...annotate(named, declarationsOf(this.dataSource, this.options.backfills)),
      unknown: describeUnknown(this.dataSource, schema, this.options.renamedFrom),
    };
    this.last = { of: schema, entities, declared };
    return declared;
  }
}
