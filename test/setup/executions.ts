import type { Execution } from '../../src/plan/proposal.js';

const EXECUTIONS: readonly Execution[] = ['online', 'atomic'];

/** Each case in both ways of executing. */
export function inBothExecutions<Case extends object>(
  cases: readonly Case[],
): (Case & { readonly execution: Execution })[] {
  return cases.flatMap((one) => EXECUTIONS.map((execution) => ({ ...one, execution })));
}
