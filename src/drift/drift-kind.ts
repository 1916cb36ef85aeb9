import type {
  Column,
  Constraint,
  Enum,
  Index,
  Note,
  QualifiedName,
  RelationKind,
  Sequence,
  Table,
} from '../schema/model.js';
import type { Fill, FillRecord } from './fill.js';
import type { OrderedUndo, UndoRequest } from './undo-request.js';

/** What each kind of difference carries for the planner. A new kind of drift is a new line here. */
export interface DriftPayloads {
  'refused-entity': { readonly reason: string };
  'missing-extension': { readonly wanted: QualifiedName };
  'missing-schema': { readonly wanted: string };
  'missing-enum': { readonly wanted: Enum };
  'different-enum': { readonly wanted: Enum; readonly found: Enum };
  'renamed-table': RenamePayload;
  'renamed-column': RenamePayload;
  'missing-table': { readonly wanted: Table };
  'different-relation': { readonly found: RelationKind };
  'missing-view': { readonly wanted: Table };
  // views: all that entities ask for, as some of them may have to be made anew.
  'different-view': { readonly wanted: Table; readonly found: Table; readonly views: readonly Table[] };
  'different-table-comment': { readonly wanted: string | null };
  'missing-column': {
    readonly wanted: Column;
    /** What fills it once it is there; with one of its own default it is added empty, whatever `wanted` says. */
    readonly begins?: readonly Fill[];
  };
  'different-type': {
    readonly wanted: Column;
    readonly found: Column;
    readonly views: readonly Table[];
  };
  'different-default': { readonly wanted: Column; readonly found: Column };
  'different-nullability': {
    readonly wanted: Column;
    /** The same plan fills the column before. */
    readonly isFilledBefore?: boolean;
  };
  'different-generation': { readonly wanted: Column; readonly found: Column };
  'different-collation': { readonly wanted: Column; readonly found: Column };
  'different-comment': { readonly wanted: Column };
  'detached-sequence': { readonly wanted: Column; readonly sequence: string };
  'sequence-behind': { readonly column: string; readonly sequence: Sequence };
  'sequence-near-limit': { readonly column: string; readonly sequence: Sequence };
  // spare: an index that no entity asks for and that can become the one behind the key.
  'missing-constraint': { readonly wanted: Constraint; readonly spare: Index | null };
  'different-constraint': {
    readonly wanted: Constraint;
    readonly found: Constraint;
    readonly spare: Index | null;
  };
  'unvalidated-constraint': { readonly found: Constraint };
  'disabled-constraint': { readonly found: Constraint };
  'leftover-constraint': { readonly found: Constraint };
  'missing-index': { readonly wanted: Index };
  'different-index': { readonly wanted: Index; readonly found: Index };
  'invalid-index': { readonly wanted: Index; readonly found: Index };
  // twin: the valid index of the same definition that it was to renew.
  'leftover-index': { readonly found: Index; readonly twin: string | null };
  'named-differently': {
    readonly is: 'constraint' | 'index' | 'enum';
    readonly wanted: string;
    readonly found: string;
  };
  'unfilled-column': {
    readonly fill: Fill;
    /** Null where it begins, or begins anew. */
    readonly record: FillRecord | null;
    /** No older release can insert rows without a value any more. */
    readonly isFinal: boolean;
    /** Another fill stays open, which its expression may read. */
    readonly isUnsure?: boolean;
  };
  'missing-note': { readonly wanted: Note };
  'required-extra-column': { readonly found: Column };
  // Somebody has asked for a run to be taken back.
  // siblings: the others of the same run that are still to be taken back; later: those of them that are after it.
  undo: OrderedUndo & {
    readonly siblings: readonly UndoRequest[];
    readonly later: readonly UndoRequest[];
  };
  'extra-table': { readonly found: RelationKind };
  'extra-view': { readonly found: Table };
  'extra-column': { readonly found: Column };
  'extra-constraint': { readonly found: Constraint };
  'extra-index': { readonly found: Index };
}

/** A rename with what is named after the old name. */
interface RenamePayload {
  readonly from: string;
  readonly to: string;
  /** What makes it unclear whether the two are the same; null where it is clear. */
  readonly conflict: string | null;
  readonly names: readonly Pick<DriftPayloads['named-differently'], 'is' | 'wanted' | 'found'>[];
  readonly types: readonly { readonly found: Enum; readonly to: string }[];
}

/** How the database can differ from the entities. */
export type DriftKind = keyof DriftPayloads;

interface DifferenceFacts {
  /** The object's name for people: `public.staff.first_name`. */
  readonly object: string;
  /** The table it belongs to; null for schemas and types. */
  readonly table: QualifiedName | null;
  /** What the entities ask for, in PostgreSQL's words; null for what only the database has. */
  readonly desired: string | null;
  /** What the database has, in PostgreSQL's words; null for what is missing. */
  readonly actual: string | null;
  /** The objects of the renames without which this difference would be another one. */
  readonly presumes?: readonly string[];
}

/** One way in which the database differs from the entities, before anybody has decided what to do about it. */
export type Difference<Kind extends DriftKind = DriftKind> = {
  [K in Kind]: DifferenceFacts & { readonly kind: K } & DriftPayloads[K];
}[Kind];
