import type { Difference, DriftKind } from '../drift/drift-kind.js';
import { isSameName } from '../schema/identifier.js';
import type { Schema } from '../schema/model.js';
import type { Approval } from './approval.js';
import { sqlOf, withConsent } from './consent.js';
import { driftId } from './drift-id.js';
import type { Hazard, HazardKind } from './hazard.js';
import { withFillsFirst } from './fills-first.js';
import { lateColumnsIn } from './late-columns.js';
import { newColumnsIn } from './new-columns.js';
import { planDifference } from './planners.js';
import { breaksOlderRelease, olderReleaseHazard } from './older-release.js';
import { pinFinder, type FindPin } from './pins.js';
import { presumedBy, renamesIn, renamesThatWait, withPresumed } from './presumed.js';
import { needsOwnership } from './privileges.js';
import { releasedIn } from './released.js';
import { knownByBothNames } from './renamed-tables.js';
import { dispositionOf, type Disposition, type Policy } from './policy.js';
import {
  mayBeLarge,
  type Execution,
  type NamePolicy,
  type PlanContext,
  type Proposal,
  type Settled,
} from './proposal.js';
import type { Answers, Question } from './question.js';
import { splitColumns, tableName } from './split.js';
import type { Standing } from './standing.js';
import { mayBeLong, PHASES, type Unit } from './step.js';
import { undoneBefore } from './undo-order.js';
import { withOpenUndos, withUndosFirst } from './undos-first.js';
import { withWaiting } from './waiting.js';

/** One finding, as it stands in reports: plain data. */
export interface Drift {
  /** Equal for the same object, texts and statements, in every run and process. */
  readonly id: string;
  readonly kind: DriftKind;
  /** `public.staff.first_name` */
  readonly object: string;
  /** `public.staff`; null for schemas and types. */
  readonly table: string | null;
  /** What the entities ask for, in PostgreSQL's words; null for what only the database has. */
  readonly desired: string | null;
  /** What the database has, in PostgreSQL's words; null for what it lacks. */
  readonly actual: string | null;
  /** heal: done unattended; open: needs a person; extra: only the database has it, stays; accepted: same meaning. */
  readonly disposition: Disposition;
  /** Why it is not healed; null where it is. */
  readonly reason: string | null;
  readonly hazards: readonly HazardKind[];
  /** The statements that would bring it about, in order; for what is open, too. What is extra they would drop. */
  readonly sql: readonly string[];
  /** Somebody's word for it, where there is one that holds. */
  readonly approval?: Approval;
}

/** A unit of work and the finding that it serves. */
export interface PlannedUnit extends Unit {
  readonly drift: Drift;
  /** The objects of what has to be done before: renames, and of an undo what was done under a new name. */
  readonly presumes: readonly string[];
  /** It may take as long as its table is large, without stopping anybody. */
  readonly isLong: boolean;
  /** What is used up by running it: the first unit of an approved finding has it. */
  readonly approval?: Approval;
  /** The object of the pin that the approval takes away, which may bear a former name. */
  readonly pinnedAs?: string;
}

export interface Plan {
  readonly drift: readonly Drift[];
  /** What will be done, in order. */
  readonly units: readonly PlannedUnit[];
  /** What would be done after someone's consent, in order. */
  readonly openUnits: readonly PlannedUnit[];
  /** What would drop what only the database has, after someone's approval. */
  readonly extraUnits: readonly PlannedUnit[];
  /** Approvals that this look has found not to hold any more. */
  readonly outgrown: readonly Outgrown[];
}

/** An approval of less than would be lost by now. */
export interface Outgrown {
  readonly approval: Approval;
  readonly reason: string;
}

export interface PlanOptions {
  readonly execution: Execution;
  readonly policy: Policy;
  readonly names: NamePolicy;
  readonly smallTableBytes: number;
}

/** Decides what is done about each difference. Pure: all it knows of the database is in the arguments. */
export function planDifferences(
  differences: readonly Difference[],
  found: Schema,
  answers: Answers,
  standing: Standing,
  { policy, ...options }: PlanOptions,
): Plan {
  const actual = knownByBothNames(found, differences);
  const known = {
    ...options,
    actual,
    ask: (question: Question) => answers.get(question) as boolean | undefined,
    count: (question: Question) => answers.get(question) as number | undefined,
    fact: (question: Question) => answers.get(question),
    newColumns: newColumnsIn(differences),
    lateColumns: lateColumnsIn(differences),
  };
  const consented = (difference: Difference, proposal: Proposal): Proposal =>
    withConsent(difference, proposal, standing, known);
  const context = contextOf(differences, known, consented);
  const split = splitColumns(differences, context, standing);
  const renames = renamesIn(split);
  const findPin = pinFinder(standing.pins, split, tableOf);
  const propose = (difference: Difference): Proposal | Settled =>
    withStanding(
      difference,
      withPrivileges(difference, planDifference(difference, context), actual),
      standing,
      context,
      findPin,
    );
  const waiting = renamesThatWait(renames, propose);
  const proposed = split.map((difference) => ({
    difference,
    proposal: withPresumed(propose(difference), presumedBy(difference, renames), waiting),
  }));
  const pinnedAs = (difference: Difference): Pick<PlannedUnit, 'pinnedAs'> => {
    const pin = findPin(difference);
    return pin ? { pinnedAs: pin.object } : {};
  };
  const filled = withFillsFirst(withWaiting(proposed, actual), actual);
  const judged = withOpenUndos(withUndosFirst(filled, actual));
  const planned = judged.map(({ difference, proposal }) => {
    const presumes = [...presumedBy(difference, renames), ...undoneBefore(difference)];
    const drift = toDrift(difference, proposal, policy);
    const units = unitsIn(proposal).map((unit, i): PlannedUnit => ({
      ...unit,
      drift,
      presumes,
      isLong: isLong(unit, difference, context),
      ...(drift.approval && i === 0 ? { approval: drift.approval, ...pinnedAs(difference) } : {}),
    }));
    return { drift, units };
  });
  const unitsOf = (disposition: Disposition): PlannedUnit[] =>
    inOrder(planned.filter(({ drift }) => drift.disposition === disposition).flatMap(({ units }) => units));
  return {
    drift: planned.map(({ drift }) => drift),
    units: unitsOf('heal'),
    openUnits: unitsOf('open'),
    extraUnits: unitsOf('extra'),
    outgrown: proposed.flatMap(({ proposal }) => outgrownIn(proposal)),
  };
}

/** What planning these differences hangs on, as far as is known what it hangs on; an answer may lead to more. */
export function questionsOf(
  differences: readonly Difference[],
  found: Schema,
  known: Answers,
  standing: Standing,
  options: PlanOptions,
): Question[] {
  const questions = new Set<Question>();
  const fact = (question: Question): unknown => {
    questions.add(question);
    return known.get(question);
  };
  const ask = (question: Question): boolean | undefined => fact(question) as boolean | undefined;
  const count = (question: Question): number | undefined => fact(question) as number | undefined;
  const actual = knownByBothNames(found, differences);
  const [newColumns, lateColumns] = [newColumnsIn(differences), lateColumnsIn(differences)];
  const asking = { ...options, actual, ask, count, fact, newColumns, lateColumns };
  const consented = (difference: Difference, proposal: Proposal): Proposal =>
    withConsent(difference, proposal, standing, asking);
  const context = contextOf(differences, asking, consented);
  for (const difference of splitColumns(differences, context, standing)) {
    const proposal = planDifference(difference, context);
    for (const unit of unitsIn(proposal)) isLong(unit, difference, context);
    if (typeof proposal !== 'string') consented(difference, proposal);
  }
  return [...questions];
}

function contextOf(
  differences: readonly Difference[],
  known: Omit<PlanContext, 'released'>,
  consented: (difference: Difference, proposal: Proposal) => Proposal,
): PlanContext {
  return { ...known, released: releasedIn(differences, consented) };
}

function outgrownIn(proposal: Proposal | Settled): Outgrown[] {
  if (typeof proposal === 'string' || !proposal.outgrown) return [];
  return [{ approval: proposal.outgrown, reason: proposal.voided ?? '' }];
}

function unitsIn(proposal: Proposal | Settled): readonly Unit[] {
  return typeof proposal === 'string' ? [] : proposal.units;
}

function isLong({ phase }: Unit, { table }: Difference, context: PlanContext): boolean {
  return mayBeLong(phase) && table !== null && mayBeLarge(table, context);
}

function withPrivileges(
  difference: Difference,
  proposal: Proposal | Settled,
  actual: Schema,
): Proposal | Settled {
  if (typeof proposal === 'string') return proposal;
  const { table } = difference;
  // Who may update rows may fill them.
  if (difference.kind === 'unfilled-column') return proposal;
  const found = table && actual.tables.find((each) => isSameName(each, table));
  const hazard = found && needsOwnership(found, found.owned);
  return hazard ? { ...proposal, hazards: [hazard, ...proposal.hazards] } : proposal;
}

function toDrift(difference: Difference, proposal: Proposal | Settled, policy: Policy): Drift {
  const { kind, object, desired, actual } = difference;
  const sql = sqlOf(proposal);
  return {
    id: driftId(difference, sql),
    kind,
    object,
    table: tableOf(difference),
    desired,
    actual,
    ...dispositionOf(proposal, policy),
    sql,
    ...(typeof proposal !== 'string' && proposal.approval ? { approval: proposal.approval } : {}),
  };
}

function tableOf(difference: Difference): string | null {
  return difference.table ? tableName(difference) : null;
}

/** What earlier runs have learnt about exactly this finding, who would suffer from it, and who has approved it. */
function withStanding(
  difference: Difference,
  proposal: Proposal | Settled,
  standing: Standing,
  context: PlanContext,
  findPin: FindPin,
): Proposal | Settled {
  if (typeof proposal === 'string') return proposal;
  const stubborn = standing.notConverging.has(driftId(difference, sqlOf(proposal))) ? NOT_CONVERGING : null;
  const older = breaksOlderRelease(difference) ? olderReleaseHazard(standing) : null;
  const hazards = [stubborn, older, pinHazard(difference, findPin)].filter((hazard) => hazard !== null);
  const judged = { ...proposal, hazards: [...hazards, ...proposal.hazards] };
  return withConsent(difference, judged, standing, context);
}

function pinHazard(difference: Difference, findPin: FindPin): Hazard | null {
  const pin = difference.kind === 'undo' ? undefined : findPin(difference);
  return pin ? { kind: 'pinned', detail: pin.reason } : null;
}

const NOT_CONVERGING: Hazard = {
  kind: 'not-converging',
  detail:
    'it was applied, and PostgreSQL still reports the other text; it is not applied again until one of the two changes. Write the entity in the words that the database has, or report it as a bug',
};

function inOrder(units: readonly PlannedUnit[]): PlannedUnit[] {
  return units.toSorted((a, b) => PHASES.indexOf(a.phase) - PHASES.indexOf(b.phase));
}
