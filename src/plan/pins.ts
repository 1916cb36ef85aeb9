import type { Difference } from '../drift/drift-kind.js';
import type { Renaming } from '../drift/renames.js';
import { displayName, isSameName, quoteIdentifier, quoteQualified } from '../schema/identifier.js';
import { withColumnRenamed, withNamesQuoted, withoutCasts } from '../schema/identifiers-in.js';
import type { QualifiedName } from '../schema/model.js';
import { NAME, type GivenName } from './applied-step.js';

/** That an object was brought back to what it was. */
export interface Pin {
  readonly object: string;
  /** Null for what is of no table, and where an older version has pinned it. */
  readonly table: QualifiedName | null;
  /** Of the finding that had led to it; null where an older version has pinned it. */
  readonly kind: string | null;
  /** What the entities asked for by it, of a renamed column its former name; null where that is not known: anything. */
  readonly desired: string | null;
  /** Who wanted it so, and in which run. */
  readonly reason: string;
}

/** What of a finding tells whether it is pinned. */
export interface PinnedFinding {
  readonly object: string;
  /** As it is told. */
  readonly table: string | null;
  readonly kind: string;
  readonly desired: string | null;
}

function isRename({ kind }: Omit<Pin, 'reason'>): boolean {
  return kind?.startsWith('renamed-') ?? false;
}

/** What an undone rename is found to be once the entities do not tell its former name any more. */
const UNDER_NEW_NAME: Readonly<Record<string, string>> = {
  'renamed-table': 'missing-table',
  'renamed-column': 'missing-column',
};

/**
 * Whether a finding asks for what was taken back: an index may be missing by then, or INVALID. On a table with rows a
 * column's NOT NULL is a finding of its own. An index or a constraint is known by its table and its meaning, too, as its
 * name may be one that TypeORM makes of those of its table and columns.
 */
export function isPinnedBy(pin: Omit<Pin, 'reason'>, finding: PinnedFinding): boolean {
  const isOfObject = isNamedBy(pin, finding);
  const isOfKind = pin.kind === finding.kind;
  if (pin.desired === null) return isOfObject && (pin.kind === null || isOfKind);
  if (isOfObject && isRename(pin)) return isOfKind || UNDER_NEW_NAME[pin.kind ?? ''] === finding.kind;
  return (
    (isOfObject || isPartOfSameTable(pin, finding)) &&
    isOfSameKind(pin, finding) &&
    isSameMeaning(pin, finding)
  );
}

/** The name of an index is one of its schema: one on another table may have it by now. */
function isNamedBy({ object, table, kind }: Omit<Pin, 'reason'>, finding: PinnedFinding): boolean {
  if (object !== finding.object) return false;
  if (table === null || finding.table === null || !(kind ?? '').endsWith('-index')) return true;
  return displayName(table.schema, table.name) === finding.table;
}

function isOfSameKind({ kind }: Omit<Pin, 'reason'>, finding: PinnedFinding): boolean {
  return kind === null || whatIs(kind) === whatIs(finding.kind);
}

function isSameMeaning({ desired }: Omit<Pin, 'reason'>, finding: PinnedFinding): boolean {
  return meaningOf(desired ?? '') === meaningOf(finding.desired ?? '');
}

/** The pin by which a difference is not to be done again; undefined where none is. */
export type FindPin = (difference: Difference) => Pin | undefined;

/** @param all of the differences that pins are looked for of */
export function pinFinder(
  pins: readonly Pin[],
  all: readonly Difference[],
  tableOf: (difference: Difference) => string | null,
): FindPin {
  if (pins.length === 0) return () => undefined;
  const findings = new Map<string, PinnedFinding[]>();
  for (const each of all)
    findings.set(each.object, [...(findings.get(each.object) ?? []), { ...each, table: tableOf(each) }]);
  return (difference) => {
    const finding = { ...difference, table: tableOf(difference) };
    const objects = [difference.object, ...formerObjects(difference)];
    // Of two indexes of one meaning each is known by its name.
    const isAnothers = (pin: Pin): boolean =>
      !isNamedBy(pin, finding) &&
      (findings.get(pin.object) ?? []).some(
        (each) => isNamedBy(pin, each) && isOfSameKind(pin, each) && isSameMeaning(pin, each),
      );
    // Where nobody asks for the former name, the rows are under it.
    const isNewBesideFormer = (pin: Pin): boolean =>
      isRename(pin) &&
      pin.kind !== difference.kind &&
      !(findings.get(formerNameIn(pin)) ?? []).some(({ kind }) => kind.startsWith('extra-'));
    return pins.find(
      (pin) =>
        objects.some((object) => isPinnedBy(pin, { ...finding, object })) &&
        !isAnothers(pin) &&
        !isNewBesideFormer(pin),
    );
  };
}

/** The object that an undone rename has given its name back. */
function formerNameIn({ kind, table, desired }: Pin): string {
  const column = kind === 'renamed-column' && desired !== null ? [desired] : [];
  return displayName(...(table === null ? [] : [table.schema, table.name]), ...column);
}

/** What was renamed by one run and made by another may have been undone by two rollbacks, the latter under its old name. */
function formerObjects(difference: Difference): string[] {
  if (difference.kind !== 'missing-column' && difference.kind !== 'missing-table') return [];
  const { table, wanted } = difference;
  const within =
    difference.kind === 'missing-table'
      ? [difference.wanted.schema]
      : table
        ? [table.schema, table.name]
        : [];
  return (wanted.formerNames ?? []).map((name) => displayName(...within, name));
}

function isPartOfSameTable({ table, kind }: Omit<Pin, 'reason'>, finding: PinnedFinding): boolean {
  if (table === null || kind === null || !isPart(kind)) return false;
  return displayName(table.schema, table.name) === finding.table;
}

function isPart(kind: string): boolean {
  return /-(?:index|constraint)$/.test(kind);
}

/** What is missing by now may have been different then. */
function whatIs(kind: string): string {
  return kind.replace(
    /^(?:missing|different|invalid|unvalidated|disabled)-(?=(?:index|constraint|view|enum)$)/,
    '',
  );
}

function meaningOf(desired: string): string {
  return withNamesQuoted(withoutCasts(desired.replace(/ ?NOT NULL$/, '')));
}

/** What was undone stays so under the name that its table or column is about to get, too. */
export function withPinsRenamed(pins: readonly Pin[], renamings: readonly Renaming[]): readonly Pin[] {
  const names = renamings.flatMap(({ finding: { from, to, table: of }, column }): GivenName[] =>
    of === null ? [] : [{ what: column === null ? 'TABLE' : 'COLUMN', of, from, to }],
  );
  const renamed = pins.map((pin) => names.reduce(pinUnder, pin));
  return [...pins, ...renamed.filter((pin) => !pins.includes(pin))];
}

/** What was taken back stays so under another name; the same pin where that is none of its table's or column's. */
export function pinUnder<Each extends Omit<Pin, 'reason'>>(pin: Each, name: GivenName): Each {
  if (name.what === 'TABLE') return underTable(pin, name);
  return name.what === 'COLUMN' ? underColumn(pin, name) : pin;
}

function underTable<Each extends Omit<Pin, 'reason'>>(pin: Each, { of, from, to }: GivenName): Each {
  const [before, after] = [from, to].map((name) => ({ schema: of.schema, name })) as [
    QualifiedName,
    QualifiedName,
  ];
  const object = withPrefix(pin.object, displayName(of.schema, from), displayName(of.schema, to));
  const isOwn = pin.table !== null && isSameName(pin.table, before);
  const desired = withForeignKey(pin.desired, ({ target, ...key }) => ({
    ...key,
    target: target === quoteQualified(before) ? quoteQualified(after) : target,
  }));
  const isSame = object === pin.object && !isOwn && desired === pin.desired;
  return isSame ? pin : { ...pin, object, table: isOwn ? after : pin.table, desired };
}

function underColumn<Each extends Omit<Pin, 'reason'>>(pin: Each, { of, from, to }: GivenName): Each {
  const [before, after] = [quoteIdentifier(from), quoteIdentifier(to)];
  const within = [of.schema, of.name];
  const object = withPrefix(pin.object, displayName(...within, from), displayName(...within, to));
  const isOwn = pin.table !== null && isSameName(pin.table, of);
  const inList = (list: string): string =>
    list.replace(new RegExp(NAME, 'g'), (name) => (name === before ? after : name));
  const ofKeys = withForeignKey(pin.desired, ({ columns, target, targets }) => ({
    columns: isOwn ? inList(columns) : columns,
    target,
    targets: target === quoteQualified(of) ? inList(targets) : targets,
  }));
  const desired = isOwn && ofKeys === pin.desired ? withExpression(pin, from, after) : ofKeys;
  return object === pin.object && desired === pin.desired ? pin : { ...pin, object, desired };
}

function withPrefix(object: string, before: string, after: string): string {
  const isOf = object === before || object.startsWith(`${before}.`);
  return isOf ? `${after}${object.slice(before.length)}` : object;
}

interface KeyTexts {
  readonly columns: string;
  readonly target: string;
  readonly targets: string;
}

const LIST = `${NAME}(?:, ${NAME})*`;
const FOREIGN_KEY = new RegExp(`^FOREIGN KEY \\((${LIST})\\) REFERENCES (${NAME}\\.${NAME}) \\((${LIST})\\)`);

/** A foreign key is written by us, so its form is known. */
function withForeignKey(text: string | null, change: (key: KeyTexts) => KeyTexts): string | null {
  const [head = '', columns = '', target = '', targets = ''] = FOREIGN_KEY.exec(text ?? '') ?? [];
  if (text === null || head === '') return text;
  const key = change({ columns, target, targets });
  return `FOREIGN KEY (${key.columns}) REFERENCES ${key.target} (${key.targets})${text.slice(head.length)}`;
}

/** What an index, a check or a generated column says of a column. A default can name none, and a type is no column. */
function withExpression({ kind, desired }: Omit<Pin, 'reason'>, from: string, to: string): string | null {
  if (desired === null || kind === null) return desired;
  const start = isPart(kind) ? 0 : desired.indexOf('GENERATED ALWAYS AS (');
  if (start < 0) return desired;
  return desired.slice(0, start) + withColumnRenamed(desired.slice(start), from, to);
}
