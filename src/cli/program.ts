import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import type { AutoMigratorOptions } from '../auto-migration.options.js';
import { AutoMigrator } from '../auto-migrator.js';
import { describeError } from '../errors.js';
import { describeHealer } from '../heal/healer-lock.js';
import { DECISIONS } from '../plan/consent.js';
import { VERSION } from '../version.js';
import { ExitCode, exitCodeOfCheck, exitCodeOfHeal } from './exit-code.js';
import { generate } from './generate.js';
import { approveFindings } from './approve.js';
import { rollBackRun } from './rollback.js';
import { loadDataSource, loadOptions, openDataSource } from './load-data-source.js';
import type { Output } from './output.js';
import { printCheck, printHeal, printHistory, printPlan } from './print.js';
import { ShownProgress } from './show-progress.js';

interface Flags extends AutoMigratorOptions {
  readonly dataSource: string;
  readonly json?: boolean;
  readonly skipUnlessEnv?: string;
  readonly limit?: number;
  readonly name?: string;
  readonly output?: string;
  readonly js?: boolean;
  readonly ids?: readonly string[];
  readonly all?: boolean;
  readonly hazard?: string;
  readonly by?: string;
}

interface Answer {
  readonly report: object;
  readonly text: string;
  readonly exitCode: ExitCode;
  readonly warnings?: readonly string[];
}

/** Begins to listen for what is to end a healing in order. */
type Stop = () => AbortSignal;

type Task = (migrator: AutoMigrator, flags: Flags, stop: Stop, output: Output) => Promise<Answer>;

const check: Task = async (migrator) => {
  const report = await migrator.check();
  return { report, text: printCheck(report), exitCode: exitCodeOfCheck(report), warnings: report.warnings };
};

const plan: Task = async (migrator) => {
  const report = await migrator.plan();
  return { report, text: printPlan(report), exitCode: exitCodeOfCheck(report), warnings: report.warnings };
};

const heal: Task = async (migrator, _flags, stop, output) => {
  const shown = new ShownProgress(output);
  const { onProgress, onWait } = shown;
  const report = await migrator.heal({ trigger: 'cli', signal: stop(), onProgress, onWait });
  shown.end();
  return { report, text: printHeal(report), exitCode: exitCodeOfHeal(report), warnings: report.warnings };
};

const approve: Task = (migrator, flags) => approveFindings(migrator, flags);

const rollback: Task = (migrator, flags, stop) => rollBackRun(migrator, flags, stop());

const generateFiles: Task = (migrator, { name = '', output = '.', ...flags }) =>
  generate(migrator, { ...flags, name, output });

const history: Task = async (migrator, { limit = 20 }) => {
  const runs = await migrator.history(limit);
  return { report: runs, text: printHistory(runs), exitCode: ExitCode.ok };
};

const status: Task = async (migrator) => {
  const [report, healer, runs] = [await migrator.check(), await migrator.healer(), await migrator.history(1)];
  const lines = [
    printCheck(report),
    healer ? `Healing: ${describeHealer(healer)}` : 'Nobody is healing',
    printHistory(runs),
  ];
  return {
    report: { ...report, healer, lastRun: runs[0] ?? null },
    text: lines.join('\n'),
    exitCode: exitCodeOfCheck(report),
    warnings: report.warnings,
  };
};

/**
 * Runs the command line.
 *
 * @param args without the node and the script
 * @param stop asked once, when a healing begins
 * @returns the exit code
 */
export async function runCommandLine(args: readonly string[], output: Output, stop: Stop): Promise<ExitCode> {
  let exitCode: ExitCode = ExitCode.ok;
  const program = new Command('auto-migrate')
    .description('Compares a PostgreSQL database with TypeORM entities, and heals what is safe.')
    .version(VERSION)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => output.out(text.trimEnd()),
      writeErr: (text) => output.error(text.trimEnd()),
    });
  const add = (name: string, description: string, task: Task): Command =>
    // Commander gives a command's arguments, each apart, before its flags and itself.
    withFlags(program.command(name).description(description)).action(async (...given: unknown[]) => {
      const command = given.at(-1) as Command;
      const flags = { ...command.opts<Flags>(), ids: command.args };
      exitCode = await runTask(task, flags, output, stop);
    });
  add('check', 'compare; exits 0 in sync, 2 drift, 1 could not look', check);
  add('plan', 'print the SQL that would bring them together; exits as check', plan);
  add('heal', 'heal what is safe; exits 0 nothing left open, 2 something left open, 1 failed', heal);
  add('approve', 'approve findings by their ids, for the next heal; exits 1 when one was not', approve)
    .argument('[ids...]', 'those that check prints')
    .option('--all', 'all that are open and that statements could mend; nothing that is extra')
    .addOption(
      new Option('--hazard <kind>', 'with --all: only those that are open for this').choices([...DECISIONS]),
    )
    .option('--by <name>', 'who approves (default: the user at the host)')
    .option('--approval-ttl-ms <number>', 'how long it holds', wholeNumber);
  add('rollback', 'undo what a run has done; exits 0 undone, 2 something of it stays, 1 failed', rollback)
    .argument('[run]', 'its number, as history prints it')
    .option('--by <name>', 'who wants it (default: the user at the host)')
    .option('--approval-ttl-ms <number>', 'how long what would lose data can be approved', wholeNumber);
  add(
    'generate',
    'write what heal would do as TypeORM migrations; exits 2 when something stays open',
    generateFiles,
  )
    .requiredOption('-n, --name <name>', 'the name of the migration, to which its time is added')
    .option('-o, --output <folder>', 'where the files are written', 'migrations')
    .option('--js', 'JavaScript instead of TypeScript, in the kind of module of its package');
  add('status', 'compare, and tell who is healing and how the last run ended; exits as check', status);
  add('history', 'the latest runs, newest first', history).option(
    '--limit <number>',
    'at most so many',
    wholeNumber,
    20,
  );
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    return exitCodeOf(error, output, args.includes('--json'));
  }
  return exitCode;
}

function withFlags(command: Command): Command {
  return command
    .requiredOption(
      '-d, --data-source <file>',
      'a file that exports one TypeORM DataSource, or a promise of one',
    )
    .option('--json', 'print one JSON report to stdout and nothing else')
    .option('--skip-unless-env <name>', 'say so and exit 0 when this environment variable is missing')
    .addOption(
      new Option('--execution <how>', 'one transaction a unit, or one for all').choices(['online', 'atomic']),
    )
    .addOption(
      new Option('--names <how>', 'what is done about other names for the same').choices(['accept', 'align']),
    )
    .option('--schemas <names...>', "the schemas to look at (default: the entities')")
    .option('--lock-timeout-ms <number>', 'how long a statement may wait for a lock', wholeNumber)
    .option('--run-migrations', "run the data source's pending migrations before the healing")
    .option('--journal-schema <name>', 'the schema that holds the journal');
}

/** Commander names the flag and what was given. */
function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,9}$/.test(text)) throw new InvalidArgumentError('It is no whole number above 0.');
  return Number(text);
}

async function runTask(task: Task, flags: Flags, output: Output, stop: Stop): Promise<ExitCode> {
  const { skipUnlessEnv, json = false } = flags;
  if (skipUnlessEnv !== undefined && !process.env[skipUnlessEnv]) {
    const message = `Skipped: ${skipUnlessEnv} is not set.`;
    if (json) output.out(JSON.stringify({ skipped: true, reason: message }));
    output.error(message);
    return ExitCode.ok;
  }
  const { report, text, exitCode, warnings = [] } = await answer(task, flags, stop, output);
  for (const warning of warnings) output.error(`Warning: ${warning}`);
  output.out(json ? JSON.stringify(report, null, 2) : text);
  return exitCode;
}

async function answer(task: Task, flags: Flags, stop: Stop, output: Output): Promise<Answer> {
  const dataSource = await loadDataSource(flags.dataSource);
  const options: AutoMigratorOptions = { execution: 'online', ...(await loadOptions(flags.dataSource)) };
  const migrator = new AutoMigrator(dataSource, { ...options, ...optionsOf(flags) });
  try {
    if (!dataSource.isInitialized) await openDataSource(dataSource, flags.dataSource);
    return await task(migrator, flags, stop, output);
  } finally {
    if (dataSource.isInitialized) await dataSource.destroy();
  }
}

function optionsOf({
  execution,
  schemas,
  names,
  lockTimeoutMs,
  runMigrations,
  journalSchema,
  approvalTtlMs,
}: Flags): AutoMigratorOptions {
  return {
    ...(execution === undefined ? {} : { execution }),
    ...(schemas === undefined ? {} : { schemas }),
    ...(names === undefined ? {} : { names }),
    ...(lockTimeoutMs === undefined ? {} : { lockTimeoutMs }),
    ...(runMigrations === undefined ? {} : { runMigrations }),
    ...(journalSchema === undefined ? {} : { journalSchema }),
    ...(approvalTtlMs === undefined ? {} : { approvalTtlMs }),
  };
}

/** Commander's own errors (an unknown flag, --help) have been printed already, but not for who reads JSON. */
function exitCodeOf(error: unknown, output: Output, isJson: boolean): ExitCode {
  const isOfCommander = error instanceof CommanderError;
  if (isOfCommander && error.exitCode === 0) return ExitCode.ok;
  if (isJson) output.out(JSON.stringify({ error: describeError(error) }, null, 2));
  if (!isOfCommander) output.error(describeError(error));
  return ExitCode.failed;
}
