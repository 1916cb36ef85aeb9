import type { HazardKind } from './hazard.js';
import type { Proposal, Settled } from './proposal.js';

/** safe: what has no hazard, or somebody's approval, is healed; off: nothing is. */
export type Policy = 'safe' | 'off';

export type Disposition = 'heal' | 'open' | 'extra' | 'accepted';

interface Decision {
  readonly disposition: Disposition;
  readonly reason: string | null;
  readonly hazards: readonly HazardKind[];
}

export function dispositionOf(proposal: Proposal | Settled, policy: Policy): Decision {
  if (proposal === 'accepted')
    return { disposition: 'accepted', reason: 'the same in another guise', hazards: [] };
  if (proposal.isExtra && !proposal.approval)
    return { disposition: 'extra', reason: [STAYS, proposal.voided].filter(Boolean).join('; '), hazards: [] };
  const hazards = proposal.hazards.map(({ kind }) => kind);
  const reasons = proposal.hazards.map(({ detail }) => detail);
  if (policy === 'off') reasons.push("policy is 'off': nothing is changed");
  if (reasons.length === 0) return { disposition: 'heal', reason: null, hazards };
  // It does no harm: that somebody wants it gone does not make it so.
  if (proposal.isExtra)
    return { disposition: 'extra', reason: `approved to go, but: ${reasons.join('; ')}`, hazards };
  if (proposal.voided !== undefined) reasons.push(proposal.voided);
  return { disposition: 'open', reason: reasons.join('; '), hazards };
}

const STAYS = 'only the database has it; it stays';
