import type { Difference } from '../drift/drift-kind.js';
import { countedOtherwise, growthOf, type Approval } from './approval.js';
import { driftId } from './drift-id.js';
import type { Hazard, HazardKind } from './hazard.js';
import type { PlanContext, Proposal, Settled } from './proposal.js';
import type { Standing } from './standing.js';

/** What somebody's word does away with. The others are facts: only the database can change them. */
export const DECISIONS: ReadonlySet<HazardKind> = new Set([
  'data-loss',
  'blocks',
  'undecided',
  'not-converging',
  'older-release',
  'pinned',
]);

/** A proposal that somebody has approved is made, unless more would be lost by now or something stands in the way. */
export function withConsent(
  difference: Difference,
  proposal: Proposal,
  standing: Standing,
  context: Pick<PlanContext, 'count' | 'fact'>,
): Proposal {
  const id = driftId(difference, sqlOf(proposal));
  const approval = standing.approvals.get(id);
  const voided = standing.voided.get(id);
  if (!approval) return voided === undefined ? proposal : { ...proposal, voided };
  const growth = growthIn(proposal, approval, context);
  if (growth !== null) return { ...proposal, voided: growth, outgrown: approval };
  const facts = proposal.hazards.filter(({ kind }) => !DECISIONS.has(kind));
  return { ...proposal, approval, hazards: [...obstaclesTo(proposal, context), ...facts] };
}

function growthIn(
  { units }: Proposal,
  approval: Approval,
  { count }: Pick<PlanContext, 'count'>,
): string | null {
  for (const { loss } of units) {
    const { measures = [] } = loss ?? {};
    const otherwise = countedOtherwise(approval, measures);
    if (otherwise !== null) return otherwise;
    for (const measure of measures) {
      const isApproved = approval.loss.some(({ what }) => what === measure.what);
      const growth = isApproved ? growthOf(approval, measure.what, count(measure.count)) : null;
      if (growth !== null) return growth;
    }
  }
  return null;
}

function obstaclesTo({ obstacles }: Proposal, { fact }: Pick<PlanContext, 'fact'>): Hazard[] {
  const found = obstacles === undefined ? [] : ((fact(obstacles) as string[] | undefined) ?? []);
  if (found.length === 0) return [];
  const depend = found.length === 1 ? 'depends' : 'depend';
  return [{ kind: 'waits', detail: `${found.join(', ')} ${depend} on it; drop that first` }];
}

/** The statements of a proposal, in order. */
export function sqlOf(proposal: Proposal | Settled): string[] {
  if (typeof proposal === 'string') return [];
  return proposal.units.flatMap(({ steps }) => steps.map(({ sql }) => sql));
}
