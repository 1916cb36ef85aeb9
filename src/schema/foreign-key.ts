import { quoteList, quoteQualified } from './identifier.js';
import type { Constraint } from './model.js';

export type ForeignKeyAction = 'NO ACTION' | 'RESTRICT' | 'CASCADE' | 'SET NULL' | 'SET DEFAULT';

export interface ForeignKeyParts {
  readonly columns: readonly string[];
  readonly references: NonNullable<Constraint['references']>;
  readonly onDelete: ForeignKeyAction;
  readonly onUpdate: ForeignKeyAction;
  readonly deferrable: 'INITIALLY IMMEDIATE' | 'INITIALLY DEFERRED' | null;
}

/**
 * A foreign key is the one kind of definition that holds nothing for PostgreSQL to normalise: its parts are facts. Both
 * sides are therefore written here, and the shadow need not build any.
 */
export function foreignKeyDefinition(parts: ForeignKeyParts): string {
  const { columns, references, onDelete, onUpdate, deferrable } = parts;
  return [
    `FOREIGN KEY (${quoteList(columns)}) REFERENCES ${quoteQualified(references)} (${quoteList(references.columns)})`,
    onDelete === 'NO ACTION' ? '' : ` ON DELETE ${onDelete}`,
    onUpdate === 'NO ACTION' ? '' : ` ON UPDATE ${onUpdate}`,
    deferrable ? ` DEFERRABLE ${deferrable}` : '',
  ].join('');
}
