import pg from 'pg';
import { vi } from 'vitest';
import { FAULT_CASES } from './fault-cases.mjs';
import { interceptedDriver, LOCK, numbered, type Session, type Statement } from './sessions.mjs';

/** Who dies: all sessions at once, as when their process is killed; the one that sends the statement; the one that holds the lock. */
export type Victim = 'process' | 'session' | 'lock';

/** In the middle: the server is at it. */
export type Moment = 'before' | 'middle' | 'after';

export interface Fault {
  readonly victim: Victim;
  readonly moment: Moment;
  /** Whether it happens at a statement; it does at the first of which this is true. */
  readonly meets: (point: Point) => boolean;
}

/** A statement of a run. */
export interface Point {
  /** From 1. */
  readonly at: number;
  /** From 1 at the first step; 0 before. */
  readonly ofSteps: number;
  /** The kind of change that it is a part of. */
  readonly kind: string;
  readonly text: string;
  /** It runs in several transactions, so that it can leave something behind. */
  readonly isConcurrent: boolean;
  readonly isOfTheLock: boolean;
  /** A step begins with it: it is written down. */
  readonly isStep: boolean;
}

export const BEFORE = 'looking, the lock, the journal, before the first step';
export const AFTER = 'looking again, the end of the run';

/** The last words of a session that the server has thrown out, for whoever waits for its answer. */
const GONE = 'terminating connection due to administrator command';

/** The sessions of the healing, one of which, or all of which, die at a statement. */
export class Faults {
  private fault: Fault | null = null;
  private readonly sessions = new Set<Session>();
  private lockSession: Session | undefined;
  private isDead = false;
  private kind = BEFORE;
  private points: Point[] = [];
  private met: Point | null = null;
  private onStatement = numbered(async (_number, _statement, send) => send());

  /** What the data source has to be opened with. */
  readonly driver = interceptedDriver(
    (statement, send) => this.onStatement(statement, send),
    (session) => {
      if (this.isDead) throw new Error('The process is dead');
      this.sessions.add(session);
    },
  );

  constructor(
    private readonly admin: pg.Client,
    private readonly url: string,
  ) {}

  /** Runs a healing that meets a fault; answers with the statement at which it did, null where it met none. */
  async during(fault: Fault, healing: () => Promise<unknown>): Promise<Point | null> {
    await this.watch(fault, healing);
    return this.met;
  }

  /** Runs a healing in peace; answers with its statements. */
  async without(healing: () => Promise<unknown>): Promise<readonly Point[]> {
    await this.watch(null, healing);
    return this.points;
  }

  private async watch(fault: Fault | null, healing: () => Promise<unknown>): Promise<void> {
    this.fault = fault;
    this.kind = BEFORE;
    this.points = [];
    this.met = null;
    this.lockSession = undefined;
    this.onStatement = numbered((at, statement, send) => this.meet(at, statement, send));
    try {
      await healing();
    } finally {
      this.onStatement = numbered(async (_number, _statement, send) => send());
      this.isDead = false;
    }
  }

  private async meet(at: number, statement: Statement, send: () => Promise<unknown>): Promise<unknown> {
    const { fault } = this;
    const point = this.pointOf(at, statement);
    this.points.push(point);
    if (point.isOfTheLock) this.lockSession = statement.session;
    if (!fault || this.met || !fault.meets(point)) return send();
    this.met = point;
    if (fault.moment === 'middle') return this.dieInTheMiddle(fault, statement, send);
    if (fault.moment === 'before') {
      await this.kill(fault, statement);
      return send();
    }
    await send();
    await this.kill(fault, statement);
    throw new Error(GONE);
  }

  private pointOf(at: number, { session, text, values }: Statement): Point {
    const isStep = text.includes('insert into "auto_migration".step ');
    if (isStep) this.kind = kindOf(String(values[1]));
    // A run looks at the whole schema before its first step and after its last one.
    else if (text.startsWith('begin isolation level repeatable read read only') && this.kind !== BEFORE)
      this.kind = AFTER;
    return {
      at,
      ofSteps: this.kind === BEFORE ? 0 : (this.points.at(-1)?.ofSteps ?? 0) + 1,
      kind: this.kind,
      text,
      isConcurrent: /^(?:create|drop)(?: unique)? index concurrently/i.test(text),
      isOfTheLock: text.includes(LOCK) || session === this.lockSession,
      isStep,
    };
  }

  private async kill({ victim }: Fault, { session }: Statement): Promise<void> {
    if (victim === 'process') return this.die();
    await this.terminate(victim === 'lock' ? this.lockSession : session);
  }

  /** As the server and the healing see it: no session sends or hears anything any more, and none is opened. */
  private die(): void {
    this.isDead = true;
    for (const session of this.sessions) session.connection.stream.destroy();
    this.sessions.clear();
  }

  private async terminate(session: Session | undefined): Promise<void> {
    if (!session) return;
    const ended = new Promise<void>((resolve) => session.once('end', resolve));
    const sql = 'select pg_terminate_backend($1) as told';
    const { rows } = await this.admin.query<{ told: boolean }>(sql, [session.processID]);
    if (rows[0]?.told) await ended;
    this.sessions.delete(session);
  }

  /** Somebody's older snapshot and locks keep the statement from coming to its end. */
  private async dieInTheMiddle(
    fault: Fault,
    statement: Statement,
    send: () => Promise<unknown>,
  ): Promise<unknown> {
    const blocker = new pg.Client({ connectionString: this.url });
    await blocker.connect();
    try {
      await blocker.query(BLOCK);
      const sent = send();
      sent.catch(() => undefined);
      const pid = statement.session.processID;
      await this.until('select from pg_stat_activity where pid = $1 and wait_event_type = $$Lock$$', pid, 1);
      await this.kill(fault, statement);
      await this.until('select from pg_stat_activity where pid = $1', pid, 0);
      return await sent;
    } finally {
      await blocker.end();
    }
  }

  private async until(sql: string, pid: number | undefined, count: number): Promise<void> {
    await vi.waitFor(
      async () => {
        const { rowCount } = await this.admin.query(sql, [pid]);
        if (rowCount !== count) throw new Error(`${sql}: not ${count}`);
      },
      { timeout: 20_000, interval: 5 },
    );
  }
}

/** All tables of the application, whichever the statement is about. */
const BLOCK = `begin isolation level repeatable read;
  do $$ declare each regclass; begin
    for each in select oid from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') loop
      execute format('lock table %s in access share mode', each);
    end loop; end $$`;

/** Of the object of a step. */
function kindOf(object: string): string {
  if (/^AddCode|^AddRow/.test(object)) return ofTable('migrated');
  if (object.startsWith('fix-')) return ofTable('fixed');
  if (object === 'public.typeorm_metadata') return ofTable('viewed');
  const name = object.replace(/^(public|annex)\b\.?/, '');
  const found = FAULT_CASES.find(({ table }) => name.startsWith(table));
  if (found) return found.kind;
  if (object === 'annex') return ofTable('created');
  const leftOver = object.includes('auto_migration_index_') ? 'littered' : '';
  return ofTable(leftOver);
}

function ofTable(table: string): string {
  const found = FAULT_CASES.find((each) => each.table === table);
  if (!found) throw new Error(`No kind of change has the table "${table}"`);
  return found.kind;
}
