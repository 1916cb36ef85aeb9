/** How much of something would be gone. Plain data. */
export interface MeasuredLoss {
  /** `rows`, `values`, `values that would change`, `values that do not fit` */
  readonly what: string;
  /** Null where it could not be counted. */
  readonly count: number | null;
}

/** Somebody's word that a finding is to be brought about. It holds for exactly that finding, for a time, and once. */
export interface Approval {
  /** Of the journal. */
  readonly id: string;
  readonly driftId: string;
  readonly object: string;
  /** Who gave it. */
  readonly by: string;
  /** ISO 8601. */
  readonly at: string;
  /** ISO 8601. */
  readonly expiresAt: string;
  /** What it costs, as counted when it was given: it does not hold for more. Empty where nothing is lost. */
  readonly loss: readonly MeasuredLoss[];
}

/** `3 values that would change`, `1 row`; for messages. */
export function describeLoss(...loss: readonly MeasuredLoss[]): string {
  return loss.map(describeOne).join(', ');
}

function describeOne({ what, count }: MeasuredLoss): string {
  if (count === null) return `uncounted ${what}`;
  const singular = what.replace(/^(\w+)s\b/, '$1').replace(' do not ', ' does not ');
  return `${count} ${count === 1 ? singular : what}`;
}

/** That more would be lost by now than was approved, as a sentence; null where not. */
export function growthOf({ by, at, loss }: Approval, what: string, now: number | undefined): string | null {
  const was = loss.find((each) => each.what === what)?.count ?? null;
  if (was === null || now === undefined || now <= was) return null;
  return `the approval of ${by} (${at}) was for ${describeLoss({ what, count: was })}, and by now it is ${now}: it is void, approve it again`;
}

/** That what an approval names is not what would be counted by now, as a sentence; null where it is. */
export function countedOtherwise(
  { by, at, loss }: Approval,
  measures: readonly Pick<MeasuredLoss, 'what'>[],
): string | null {
  const [first] = measures;
  if (!first || measures.some(({ what }) => loss.some((each) => each.what === what))) return null;
  return `the approval of ${by} (${at}) was for ${describeLoss(...loss) || 'no loss'}, and by now ${first.what} are counted: it is void, approve it again`;
}
