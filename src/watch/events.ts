import type { HealReport } from '../heal/heal-report.js';
import type { Drift } from '../plan/plan.js';

/** What the watch has come upon. */
export type MigrationEvent =
  /** Something is not as the entities want it and not healed (yet). */
  | { readonly type: 'drift'; readonly drift: readonly Drift[] }
  /** A run applied something; what is left is in `report.open`. */
  | { readonly type: 'healed'; readonly report: HealReport }
  /** A check or a run could not do its work. */
  | { readonly type: 'failed'; readonly error: string };
