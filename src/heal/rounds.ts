import type { Plan, PlannedUnit } from '../plan/plan.js';

/** After these whatever is still found is left to the next run. */
const MAXIMUM = 5;

/**
 * Goes on while a look finds what only the changes of this run have made possible or visible: a view over what was
 * renamed, or what another one stood on. Nothing is tried twice, nor is anything built on what was tried and is left.
 *
 * @param execute answers with what is to be done then, or null where the run ends
 */
export async function inRounds(
  first: Plan,
  execute: (units: readonly PlannedUnit[]) => Promise<Plan | null>,
): Promise<void> {
  const tried = new Set<string>();
  let plan: Plan | null = first;
  for (let round = 0; round < MAXIMUM; round++) {
    if (!plan || plan.units.length === 0 || plan.units.some(({ drift }) => tried.has(drift.id))) return;
    plan.units.forEach(({ drift }) => tried.add(drift.id));
    plan = await execute(plan.units);
  }
}
