import { propose, type Planner } from './proposal.js';

/** Nothing of ours can make what PostgreSQL refuses: the entity has to be mended. */
export const planRefusedEntity: Planner<'refused-entity'> = ({ reason }) =>
  propose([], [{ kind: 'undecided', detail: `the entity cannot be made: ${reason}` }]);
