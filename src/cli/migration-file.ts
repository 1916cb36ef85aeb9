import { takenIndex } from '../plan/applied-step.js';
import { PHASES } from '../plan/step.js';
import type { Plan, PlannedUnit } from '../plan/plan.js';
import type { Step } from '../plan/step.js';
import { undoOf, type Undo } from '../plan/undo.js';
import { judgeSteps } from '../plan/undo-run.js';

/** How the file is to be written. */
export type MigrationLanguage = 'ts' | 'esm' | 'commonjs';

/** A migration of TypeORM: one class in one file. */
export interface MigrationFile {
  /** `1764028800000-StaffNames.ts` */
  readonly fileName: string;
  readonly className: string;
  readonly text: string;
  /** Whether TypeORM has to run it outside a transaction. */
  readonly isOutside: boolean;
}

/**
 * Writes what a plan would do as migrations: those that take short locks in a transaction, what PostgreSQL refuses in one
 * or what reads whole tables outside any, in the plan's order. So the locks of the first are gone before the latter run.
 *
 * @param timestamp of the first one, in milliseconds; each next has one more
 */
export function migrationFiles(
  { units }: Plan,
  name: string,
  timestamp: number,
  language: MigrationLanguage,
  lockTimeoutMs: number,
): MigrationFile[] {
  const ours = units.filter((unit) => !isMadeByTypeOrm(unit, units));
  const undos = undosOf(ours);
  return toGroups(ours).map((group, i) => {
    const className = `${name}${timestamp + i}`;
    const isOutside = group.some(runsOutside);
    const fileName = `${timestamp + i}-${name}.${language === 'ts' ? 'ts' : 'js'}`;
    const text = render(className, group, undos, { language, isOutside, lockTimeoutMs });
    return { fileName, className, isOutside, text };
  });
}

/** The table of its notes about views and generated columns, before the first migration. */
function isMadeByTypeOrm({ drift }: PlannedUnit, units: readonly PlannedUnit[]): boolean {
  const isNotes = units.some(
    (each) => each.drift.kind === 'missing-note' && each.drift.table === drift.table,
  );
  return drift.kind === 'missing-table' && isNotes;
}

function runsOutside({ manner, steps }: PlannedUnit): boolean {
  return manner !== 'together' || steps.some(({ scans }) => scans);
}

/**
 * What is done to one object stays in its order, but the first steps of all come before the second ones: else each NOT
 * NULL would be three files of its own.
 */
function toGroups(units: readonly PlannedUnit[]): PlannedUnit[][] {
  const seen = new Map<string, number>();
  const ranked = units.map((unit) => {
    const key = `${unit.drift.id} ${unit.phase}`;
    const rank = seen.get(key) ?? 0;
    seen.set(key, rank + 1);
    return { unit, phase: PHASES.indexOf(unit.phase), rank };
  });
  const groups: PlannedUnit[][] = [];
  for (const { unit } of ranked.toSorted((a, b) => a.phase - b.phase || a.rank - b.rank)) {
    const last = groups.at(-1);
    if (last?.[0] && runsOutside(last[0]) === runsOutside(unit)) last.push(unit);
    else groups.push([unit]);
  }
  return groups;
}

interface Manner {
  readonly language: MigrationLanguage;
  readonly isOutside: boolean;
  readonly lockTimeoutMs: number;
}

function render(className: string, units: readonly PlannedUnit[], undos: Undos, manner: Manner): string {
  const { language, isOutside, lockTimeoutMs } = manner;
  const method = (name: 'up' | 'down', body: readonly string[]): string[] => {
    const isUsed = body.some((line) => line.includes(RUN));
    const typed = language === 'ts' ? 'queryRunner: QueryRunner' : 'queryRunner';
    const result = language === 'ts' ? ': Promise<void>' : '';
    return [`  async ${name}(${isUsed ? typed : ''})${result} {`, ...body, '  }'];
  };
  // Outside a transaction there is nothing that the setting could be local to.
  const settings = isOutside ? [] : [query(`SET LOCAL lock_timeout = '${lockTimeoutMs}ms'`)];
  return [
    ...(language === 'ts' ? [`import type { MigrationInterface, QueryRunner } from 'typeorm';`, ''] : []),
    '// Written by auto-migrate generate.',
    head(className, language),
    `  name = '${className}';`,
    ...(isOutside ? OUTSIDE : []),
    '',
    ...method('up', [...settings, ...up(units)]),
    '',
    ...method(
      'down',
      units.toReversed().flatMap((unit) => down(unit, undos)),
    ),
    language === 'commonjs' ? '};' : '}',
    '',
  ].join('\n');
}

const RUN = 'await queryRunner.query(';

/** TypeORM heeds the property when it runs a migration, but not when it reverts one. */
const OUTSIDE = [
  "  // Each statement by itself: the data source needs migrationsTransactionMode 'each'; revert with --transaction none.",
  '  transaction = false;',
];

function head(className: string, language: MigrationLanguage): string {
  if (language === 'commonjs') return `exports.${className} = class ${className} {`;
  return `export class ${className} ${language === 'ts' ? 'implements MigrationInterface ' : ''}{`;
}

function up(units: readonly PlannedUnit[]): string[] {
  const fills = units.filter(isFill);
  return units.flatMap((unit, i) => [
    ...unit.steps.flatMap(({ object, action, sql }) => [comment(`${object}: ${action}`), query(sql)]),
    ...(fills.length > 1 && endsFills(unit, units[i + 1]) ? fillAgain(fills) : []),
  ]);
}

/** As a healing does it, which asks the rows whether there is anything left; the longest chain is as long as there are fills. */
function fillAgain(fills: readonly PlannedUnit[]): string[] {
  const updates = fills.filter(isDeclared).flatMap(({ steps }) => steps.map(({ sql }) => `  ${query(sql)}`));
  if (updates.length === 0) return [];
  return [
    comment('One may read what another one fills: again, for as long as that can take.'),
    `    for (let round = 1; round < ${fills.length}; round++) {`,
    ...updates,
    '    }',
  ];
}

function isFill({ fills = [] }: PlannedUnit): boolean {
  return fills.some(({ state }) => state !== 'pending');
}

function isDeclared({ fills = [] }: PlannedUnit): boolean {
  return fills.some(({ fill }) => fill.expression !== null);
}

/** A default takes the place of what is declared, which so has to have had its turn. */
function endsFills(unit: PlannedUnit, next: PlannedUnit | undefined): boolean {
  return isFill(unit) && !(next && isFill(next) && isDeclared(next) === isDeclared(unit));
}

/** Without those that go, or stay, with others. */
type Undos = ReadonlyMap<Step, Undo>;

/** Nobody counts what reverting a migration loses, so that what may hold values stays. */
function undosOf(units: readonly PlannedUnit[]): Undos {
  const steps = units.flatMap(({ steps: own, drift: { kind, actual } }) =>
    own.map((step) => ({ ...step, step, kind, actual, begunBy: null, changedBy: null })),
  );
  const judged = judgeSteps(steps, (whole) => undoOf(whole, whole));
  return new Map(judged.map(({ each, undo }) => [each.step, IS_NEEDED.test(each.sql) ? NEEDED : undo]));
}

const IS_NEEDED = /^CREATE (?:SCHEMA|EXTENSION|TYPE) /;
const NEEDED: Undo = { reason: 'the columns and tables that stay may need it' };

function down(unit: PlannedUnit, undos: Undos): string[] {
  return unit.steps.toReversed().flatMap((step) => {
    const undo = undos.get(step) ?? { sql: [] };
    if ('reason' in undo) return [comment(`${step.object}: ${step.action} is not undone: ${undo.reason}.`)];
    const takesIndex = undo.sql.length > 0 && takenIndex(step) !== null;
    return [...(takesIndex ? [comment(INDEX_GOES_ALONG)] : []), ...undo.sql.map(query)];
  });
}

/** PostgreSQL drops both, and the migration that has built the index counts as run. */
const INDEX_GOES_ALONG =
  'Its index goes along: revert the migration that builds it, too, before this one is run again.';

function comment(text: string): string {
  return `    // ${text.replaceAll(/\s+/g, ' ')}`;
}

function query(sql: string): string {
  return `    ${RUN}\`${sql.replaceAll(/[\\`]|\$\{/g, (special) => `\\${special}`)}\`);`;
}
