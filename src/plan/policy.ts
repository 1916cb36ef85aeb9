import type { HazardKind } from './hazard.js';
import type { Proposal } from './proposal.js';

/** safe: what has no hazard is healed unattended; off: nothing is. */
export type Policy = 'safe' | 'off';

export type Disposition = 'heal' | 'open' | 'extra' | 'accepted';

interface Decision {
  readonly disposition: Disposition;
  readonly reason: string | null;
  readonly hazards: readonly HazardKind[];
}

export function dispositionOf(proposal: Proposal | 'stays' | 'accepted', policy: Policy): Decision {
  if (proposal === 'stays')
    return { disposition: 'extra', reason: 'only the database has it; it stays', hazards: [] };
  if (proposal === 'accepted')
    return { disposition: 'accepted', reason: 'the same in another guise', hazards: [] };
  const hazards = proposal.hazards.map(({ kind }) => kind);
  const reasons = proposal.hazards.map(({ detail }) => detail);
  if (policy === 'off') reasons.push("policy is 'off': nothing is changed");
  return reasons.length > 0
    ? { disposition: 'open', reason: reasons.join('; '), hazards }
    : { disposition: 'heal', reason: null, hazards };
}
