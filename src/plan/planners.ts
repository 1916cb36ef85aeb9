import type { Difference, DriftKind } from '../drift/drift-kind.js';
import {
  planCollation,
  planComment,
  planDefault,
  planGeneration,
  planMissingColumn,
  planNullability,
  planRequiredExtraColumn,
} from './plan-columns.js';
import {
  planDifferentConstraint,
  planDisabledConstraint,
  planLeftoverConstraint,
  planMissingConstraint,
  planUnvalidatedConstraint,
} from './plan-constraints.js';
import { planDifferentEnum, planMissingEnum } from './plan-enums.js';
import {
  planExtraColumn,
  planExtraConstraint,
  planExtraIndex,
  planExtraTable,
  planExtraView,
} from './plan-extras.js';
import { planDifferentIndex, planInvalidIndex, planLeftoverIndex, planMissingIndex } from './plan-indexes.js';
import { planUnfilledColumn } from './plan-fills.js';
import { planMissingNote } from './plan-notes.js';
import { planMissingExtension } from './plan-extensions.js';
import { planRefusedEntity } from './plan-refusals.js';
import { planRenamedColumn, planRenamedTable } from './plan-renames.js';
import { planName } from './plan-names.js';
import { planDetachedSequence, planSequenceBehind, planSequenceNearLimit } from './plan-sequences.js';
import { planUndo } from './plan-undo.js';
import { planType } from './plan-types.js';
import { planMissingSchema } from './plan-schemas.js';
import { planMissingTable, planDifferentRelation, planTableComment } from './plan-tables.js';
import { planDifferentView, planMissingView } from './plan-views.js';
import type { PlanContext, Planner, Proposal, Settled } from './proposal.js';

/** What is done about each kind of drift. */
const PLANNERS: { readonly [Kind in DriftKind]: Planner<Kind> } = {
  'refused-entity': planRefusedEntity,
  'missing-extension': planMissingExtension,
  'missing-schema': planMissingSchema,
  'missing-enum': planMissingEnum,
  'different-enum': planDifferentEnum,
  'renamed-table': planRenamedTable,
  'renamed-column': planRenamedColumn,
  'missing-table': planMissingTable,
  'different-relation': planDifferentRelation,
  'different-table-comment': planTableComment,
  'missing-view': planMissingView,
  'different-view': planDifferentView,
  'missing-column': planMissingColumn,
  'different-type': planType,
  'different-default': planDefault,
  'different-nullability': planNullability,
  'different-generation': planGeneration,
  'different-collation': planCollation,
  'different-comment': planComment,
  'detached-sequence': planDetachedSequence,
  'sequence-behind': planSequenceBehind,
  'sequence-near-limit': planSequenceNearLimit,
  'missing-constraint': planMissingConstraint,
  'different-constraint': planDifferentConstraint,
  'unvalidated-constraint': planUnvalidatedConstraint,
  'disabled-constraint': planDisabledConstraint,
  'leftover-constraint': planLeftoverConstraint,
  'missing-index': planMissingIndex,
  'different-index': planDifferentIndex,
  'invalid-index': planInvalidIndex,
  'leftover-index': planLeftoverIndex,
  'named-differently': planName,
  'unfilled-column': planUnfilledColumn,
  'missing-note': planMissingNote,
  'required-extra-column': planRequiredExtraColumn,
  undo: planUndo,
  'extra-table': planExtraTable,
  'extra-view': planExtraView,
  'extra-column': planExtraColumn,
  'extra-constraint': planExtraConstraint,
  'extra-index': planExtraIndex,
};

export const DRIFT_KINDS = Object.keys(PLANNERS) as readonly DriftKind[];

export function planDifference(difference: Difference, context: PlanContext): Proposal | Settled {
  // The table of planners is keyed by kind, which TypeScript cannot follow through a union.
  const planner = PLANNERS[difference.kind] as Planner<DriftKind>;
  return planner(difference, context);
}
