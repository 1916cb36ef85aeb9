import type { DataSource } from 'typeorm';
import type { Schema } from '../schema/model.js';
import type { BackfillDeclaration } from './backfill-options.js';
import { annotate, declarationsOf, type DeclaredSchema } from './declarations.js';
import { withFormerNames, type FormerNames } from './former-names.js';

/** Adds to the desired schema what decorators and options declare; only once, as thousands of tables take a while. */
export class DeclaredSchemas {
  private last:
    { readonly of: Schema; readonly entities: unknown; readonly declared: DeclaredSchema } | undefined;

  constructor(
    private readonly dataSource: DataSource,
    private readonly options: {
      readonly renamedFrom: FormerNames;
      readonly backfills: readonly BackfillDeclaration[];
    },
  ) {}

  of(schema: Schema): DeclaredSchema {
    const entities = this.dataSource.entityMetadatas;
    if (this.last?.of === schema && this.last.entities === entities) return this.last.declared;
    const named = withFormerNames(schema, this.dataSource, this.options.renamedFrom);
    const declared = annotate(named, declarationsOf(this.dataSource, this.options.backfills));
    this.last = { of: schema, entities, declared };
    return declared;
  }
}
