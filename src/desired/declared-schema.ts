import type { DataSource } from 'typeorm';
import type { Schema } from '../schema/model.js';
import type { BackfillDeclaration } from './backfill-options.js';
import { annotate, declarationsOf, type Declaration } from './declarations.js';
import { withFormerNames, type FormerNames } from './former-names.js';

/** A desired schema with what stands beside it in the entities: what columns are filled with, and former names. */
export interface DeclaredSchema {
  readonly schema: Schema;
  /** What is declared for columns that it lacks. */
  readonly left: readonly Declaration[];
}

/** Adds to the desired schema what decorators and options declare; only once, as thousands of tables take a while. */
export class Declarations {
  private last:
    { readonly of: Schema; readonly entities: unknown; readonly declared: DeclaredSchema } | undefined;

  constructor(
    private readonly dataSource: DataSource,
    private readonly options: {
      readonly renamedFrom: FormerNames;
      readonly backfills: readonly BackfillDeclaration[];
    },
  ) {}

  addTo(schema: Schema): DeclaredSchema {
    const entities = this.dataSource.entityMetadatas;
    if (this.last?.of === schema && this.last.entities === entities) return this.last.declared;
    const named = withFormerNames(schema, this.dataSource, this.options.renamedFrom);
    const declared = annotate(named, declarationsOf(this.dataSource, this.options.backfills));
    this.last = { of: schema, entities, declared };
    return declared;
  }
}
