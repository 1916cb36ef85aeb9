import type { Difference } from '../drift/drift-kind.js';
import type { Constraint } from '../schema/model.js';

/** Those that a finding would make. */
export function foreignKeysOf(difference: Difference): readonly Constraint[] {
  switch (difference.kind) {
    case 'missing-constraint':
    case 'different-constraint':
      return difference.wanted.references === null ? [] : [difference.wanted];
    default:
      return [];
  }
}

/** All SQL that the wanted object is made of. */
export function textsOf(difference: Difference): string[] {
  switch (difference.kind) {
    case 'missing-column':
      return [difference.wanted.type, difference.wanted.expression ?? ''];
    case 'different-default':
      return [difference.wanted.expression ?? ''];
    case 'missing-constraint':
    case 'different-constraint':
    case 'missing-index':
    case 'different-index':
    case 'invalid-index':
      return [difference.wanted.definition];
    case 'missing-table': {
      const { columns, constraints, indexes } = difference.wanted;
      return [
        ...columns.flatMap(({ type, expression }) => [type, expression ?? '']),
        ...[...constraints, ...indexes].map(({ definition }) => definition),
      ];
    }
    case 'missing-view':
    case 'different-view':
      return [difference.wanted.definition ?? ''];
    default:
      return [];
  }
}
