import type { AutoMigrator } from '../auto-migrator.js';
import { InvalidOptionError } from '../errors.js';
import type { ApprovalReport, ApprovedDrift } from '../heal/approve.js';
import { describeLoss } from '../plan/approval.js';
import { ExitCode } from './exit-code.js';
import { user } from './user.js';

export interface ApproveFlags {
  readonly ids?: readonly string[];
  readonly all?: boolean;
  readonly hazard?: string;
  readonly by?: string;
}

/**
 * Approves what was named, or all that is open for a hazard.
 *
 * @throws InvalidOptionError when neither is said, or both
 */
export async function approveFindings(
  migrator: AutoMigrator,
  { ids = [], all = false, hazard, by = user() }: ApproveFlags,
): Promise<{ report: ApprovalReport; text: string; exitCode: ExitCode }> {
  if (all === ids.length > 0)
    throw new InvalidOptionError('ids', 'name either the ids that check prints or --all');
  if (hazard !== undefined && !all) throw new InvalidOptionError('hazard', 'goes with --all');
  const chosen = all ? await openFor(migrator, hazard) : ids;
  const report = await migrator.approve(chosen, by);
  const exitCode = report.refused.length > 0 ? ExitCode.failed : ExitCode.ok;
  return { report, text: print(report), exitCode };
}

/** Never what is extra: that it is there harms nobody, so each is somebody's own decision. */
async function openFor(migrator: AutoMigrator, hazard: string | undefined): Promise<string[]> {
  const { drift, error } = await migrator.check();
  if (error !== null) throw new Error(error);
  return drift
    .filter(({ disposition, sql }) => disposition === 'open' && sql.length > 0)
    .filter(({ hazards }) => hazard === undefined || hazards.some((kind) => kind === hazard))
    .map(({ id }) => id);
}

function print({ approved, refused }: ApprovalReport): string {
  if (approved.length + refused.length === 0) return 'Nothing to approve';
  return [
    ...approved.map(printApproved),
    ...refused.map(({ id, object, reason }) =>
      [`NOT APPROVED ${id}`, ...(object === null ? [] : [object])].join(' ').concat(`: ${reason}`),
    ),
  ].join('\n');
}

function printApproved({ drift, approval, waits }: ApprovedDrift): string {
  const { id, kind, object, sql } = drift;
  const cost = approval.loss.length === 0 ? 'nothing that could be counted' : describeLoss(...approval.loss);
  return [
    `Approved ${id} ${kind} ${object}, by ${approval.by}, until ${approval.expiresAt}`,
    `  would be lost: ${cost}`,
    ...sql.map((statement) => `  ${statement.replaceAll(/\s+/g, ' ')};`),
    ...(waits === null ? [] : [`  waits all the same: ${waits}`]),
  ].join('\n');
}
