import { hostname } from 'node:os';
import { redact } from '../errors.js';
import type { Step } from '../plan/step.js';
import { queryRows, type Connection } from '../schema/connection.js';
import { quoteIdentifier } from '../schema/identifier.js';
import { VERSION } from '../version.js';
import { ensureJournal } from './ensure-journal.js';
import type { RunOutcome, StepOutcome, Trigger } from './records.js';

export interface StepResult {
  readonly outcome: StepOutcome;
  readonly durationMs: number | null;
  readonly error: string | null;
}

/** What is written down of a step. */
export interface StepEntry extends Pick<Step, 'object' | 'action' | 'sql' | 'lock' | 'formerDefault'> {
  readonly table?: Step['table'];
  /** What it is for: without it nobody can undo it. */
  readonly drift?: { readonly kind: string; readonly desired: string | null; readonly actual: string | null };
}

/**
 * The record of one run. Each step is written down before it runs and completed after, so a run that died shows which
 * step it was at. What has happened is told by the catalog; the journal only remembers.
 */
export class Journal {
  private constructor(
    private readonly connection: Connection,
    readonly schema: string,
    /** Of this run. */
    readonly runId: string,
  ) {}

  /** @throws JournalError when it cannot be written */
  static async begin(
    connection: Connection,
    schema: string,
    trigger: Trigger,
    desiredHash: string,
  ): Promise<Journal> {
    await ensureJournal(connection, schema);
    const sql = `insert into ${quoteIdentifier(schema)}.run (trigger, host, pid, version, desired_hash)
      values ($1, $2, $3, $4, $5) returning id::text`;
    const values = [trigger, hostname(), process.pid, VERSION, desiredHash];
    const [row] = await queryRows<{ id: string }>(connection, sql, values);
    return new Journal(connection, schema, row?.id ?? '');
  }

  /** Writes down that steps are about to run; answers with their ids. */
  async stepsBegin(steps: readonly StepEntry[]): Promise<string[]> {
    const ids: string[] = [];
    const name = quoteIdentifier(this.schema);
    for (const { object, action, sql, lock, table, drift, formerDefault } of steps) {
      const insert = `with begun as (
          insert into ${name}.step (run_id, object, action, sql, lock, outcome)
          values ($1, $2, $3, $4, $5, 'running') returning id),
        noted as (
          insert into ${name}.finding (step_id, kind, table_schema, table_name, actual, former_default, desired)
          select id, $6, $7, $8, $9, $10, $11 from begun where $6::text is not null)
        select id::text from begun`;
      const [row] = await queryRows<{ id: string }>(this.connection, insert, [
        this.runId,
        object,
        action,
        sql,
        lock,
        drift?.kind,
        table?.schema,
        table?.name,
        drift?.actual,
        formerDefault,
        drift?.desired,
      ]);
      ids.push(row?.id ?? '');
    }
    return ids;
  }

  async stepEnds(id: string, { outcome, durationMs, error }: StepResult): Promise<void> {
    const sql = `update ${quoteIdentifier(this.schema)}.step set outcome = $2, duration_ms = $3, error = $4 where id = $1`;
    await this.connection.query(sql, [id, outcome, durationMs, error]);
  }

  async end(outcome: RunOutcome, error: string | null): Promise<void> {
    const sql = `update ${quoteIdentifier(this.schema)}.run
      set outcome = $2, error = $3, finished_at = clock_timestamp() where id = $1`;
    await this.connection.query(sql, [this.runId, outcome, error === null ? null : redact(error)]);
  }
}
