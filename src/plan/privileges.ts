import { displayName, isSameName } from '../schema/identifier.js';
import type { QualifiedName } from '../schema/model.js';
import type { Hazard } from './hazard.js';
import { hazardIf, type PlanContext } from './proposal.js';
import { mayCreateSchemas, mayReference } from './question.js';

/** The right to make an object in a schema; one that is missing has to be made first. */
export function needsCreate(schema: string, { actual, ask }: PlanContext): Hazard | null {
  const namespace = actual.namespaces.find(({ name }) => name === schema);
  const may = namespace ? namespace.mayCreate : ask(mayCreateSchemas);
  const where = namespace ? `schema ${displayName(schema)}` : 'the database';
  return hazardIf(may === false, 'needs-privilege', `needs CREATE on ${where}`);
}

/** The right to let a foreign key point to a table. */
export function needsReferences(table: QualifiedName, { ask }: PlanContext): Hazard | null {
  const detail = `needs REFERENCES on ${displayName(table.schema, table.name)}`;
  return hazardIf(ask(mayReference(table)) === false, 'needs-privilege', detail);
}

/** The owner's rights on an object that is there. */
export function needsOwnership({ schema, name }: QualifiedName, owned: boolean | undefined): Hazard | null {
  const detail = `needs the rights of the owner of ${displayName(schema, name)}`;
  return hazardIf(owned === false, 'needs-privilege', detail);
}

/** Whether nobody knows how many rows a table has, or what is in them. */
export function hidesRows(table: QualifiedName, { actual }: Pick<PlanContext, 'actual'>): boolean {
  return actual.tables.some((each) => each.hidesRows && isSameName(each, table));
}

/** For messages: why rows are neither counted nor filled. */
export function describeHidden({ schema, name }: QualifiedName): string {
  return `row level security hides rows of ${displayName(schema, name)} from this role; give it BYPASSRLS`;
}
