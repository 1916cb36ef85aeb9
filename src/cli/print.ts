import type { CheckReport, PlanReport } from '../auto-migrator.js';
import type { DataFixResult } from '../heal/data-fix.js';
import type { MigrationResult } from '../heal/migration-stage.js';
import type { HealReport } from '../heal/heal-report.js';
import { describeHealer } from '../heal/healer-lock.js';
import type { RunRecord } from '../journal/records.js';
import type { Drift, PlannedUnit } from '../plan/plan.js';
import { displayName } from '../schema/identifier.js';

/** Reports for people. Each gives the lines of one command's answer. */

export function printCheck({ verdict, drift, error, durationMs }: CheckReport): string {
  if (verdict === 'unknown') return `Could not look: ${error}`;
  const head = verdict === 'in-sync' ? `In sync (${durationMs} ms)` : `Drift (${durationMs} ms)`;
  return [head, ...drift.map(printDrift)].join('\n');
}

function printDrift({ id, disposition, kind, object, desired, actual, reason, approval }: Drift): string {
  const texts = [desired === null ? '' : `wanted: ${desired}`, actual === null ? '' : `there: ${actual}`];
  const given = approval ? [`approved: by ${approval.by}, until ${approval.expiresAt}`] : [];
  const lines = [...texts.filter(Boolean), ...(reason ? [`why: ${reason}`] : []), ...given];
  return [
    `  ${disposition.padEnd(8)} ${kind} ${object}  [${id}]`,
    ...lines.map((line) => `           ${line.replace(LINE_END, ' ')}`),
  ].join('\n');
}

/** SQL that can be run as it is; what would not run unattended is commented out. */
export function printPlan({ verdict, error, plan }: PlanReport): string {
  if (!plan) return comment(`could not look: ${error}`);
  if (plan.units.length + plan.openUnits.length === 0) {
    const open = plan.drift.filter(({ disposition }) => disposition === 'open');
    return [
      `-- ${verdict === 'drift' ? 'nothing that statements could mend' : 'in sync: nothing to do'}`,
      ...open.map(openComment),
    ].join('\n');
  }
  const without = plan.drift.filter(({ disposition, sql }) => disposition === 'open' && sql.length === 0);
  return [
    ...plan.units.flatMap((unit) => printUnit(unit, '')),
    ...plan.openUnits.flatMap((unit) => printUnit(unit, '-- ')),
    ...without.map(openComment),
  ].join('\n');
}

function openComment({ object, kind, reason }: Drift): string {
  return comment(`${object}: ${kind}, open: ${reason}`);
}

/** PostgreSQL ends a comment at a carriage return, too. */
const LINE_END = /\r\n?|\n/g;

function comment(text: string): string {
  return `-- ${text.replace(LINE_END, ' ')}`;
}

function printUnit({ steps, manner, drift }: PlannedUnit, prefix: string): string[] {
  const together = manner === 'together' && steps.length > 1;
  const statements = steps.flatMap(({ object, action, sql, lock, alsoLocks }) => {
    const would = drift.disposition === 'heal' ? 'would run' : `would not run: ${drift.reason} [${drift.id}]`;
    const names = [...new Set(alsoLocks.map(({ schema, name }) => displayName(schema, name)))];
    const others = names.length > 0 ? `, also of ${names.join(' and ')}` : '';
    const why = comment(`${object}: ${action}, as ${drift.kind}; lock ${lock}${others}; ${would}`);
    return [why, `${prefix}${sql.replace(LINE_END, (end) => `${end}${prefix}`)};`];
  });
  return together ? [`${prefix}BEGIN;`, ...statements, `${prefix}COMMIT;`] : statements;
}

export function printHeal({
  outcome,
  applied,
  failed,
  open,
  migrations,
  dataFixes,
  error,
  durationMs,
  runId,
  healer,
}: HealReport): string {
  const run = runId === null ? '' : `, run ${runId}`;
  return [
    ...migrations.map(printMigration),
    ...applied.map((step) => `  ${step.action} ${step.object} (${step.durationMs} ms)`),
    ...failed.map((step) => `  FAILED ${step.action} ${step.object}: ${step.error}\n         ${step.sql}`),
    ...dataFixes.map(printDataFix),
    ...open.map(({ object, kind, reason }) => `  OPEN ${kind} ${object}: ${reason}`),
    ...(healer ? [`  another process is healing: ${describeHealer(healer)}`] : []),
    ...(error === null ? [] : [`  ${error}`]),
    `${outcome}: ${applied.length} applied, ${open.length} open (${durationMs} ms${run})`,
  ].join('\n');
}

function printMigration({ name, outcome, durationMs, error }: MigrationResult): string {
  if (outcome === 'failed') return `  FAILED migration ${name}: ${error}`;
  if (outcome === 'applied') return `  migration ${name} (${durationMs} ms)`;
  return `  ${outcome === 'left-out' ? 'LEFT OUT' : 'ROLLED BACK'} migration ${name}`;
}

function printDataFix({ id, outcome, durationMs, error }: DataFixResult): string {
  if (outcome === 'failed') return `  FAILED data fix ${id}: ${error}`;
  return outcome === 'applied' ? `  data fix ${id} (${durationMs} ms)` : `  LEFT OUT data fix ${id}`;
}

export function printHistory(runs: readonly RunRecord[]): string {
  if (runs.length === 0) return 'No run has changed anything yet.';
  return runs.map(printRun).join('\n');
}

function printRun({ id, trigger, host, pid, startedAt, outcome, steps, error }: RunRecord): string {
  const head = `run ${id}  ${startedAt}  ${outcome}  by ${trigger} on ${host}, pid ${pid}`;
  const lines = steps.map(
    (step) =>
      `  ${step.outcome.padEnd(11)} ${step.action} ${step.object}${step.error ? `: ${step.error}` : ''}`,
  );
  return [head, ...lines, ...(error ? [`  ${error}`] : [])].join('\n');
}
