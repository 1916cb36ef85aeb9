import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { inspect } from 'node:util';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { resolveModuleOptions } from '../src/auto-migration.options.js';
import { AutoMigrator } from '../src/auto-migrator.js';
import { ExitCode } from '../src/cli/exit-code.js';
import { runCommandLine } from '../src/cli/program.js';
import { DRIFT_KINDS } from '../src/plan/planners.js';
import { HOTEL } from './auto-migrator/hotel-entities.js';
import { openDataSource } from './auto-migrator/open-data-source.js';
import { createTestDatabase } from './setup/database.js';

const ROOT = join(import.meta.dirname, '..');
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const DOCUMENTS = [
  'README.md',
  'CHANGELOG.md',
  ...readdirSync(join(ROOT, 'docs')).map((name) => `docs/${name}`),
];

/** The rows of the tables of a document whose head begins so, their cells without backticks around words. */
function rowsUnder(file: string, ...head: string[]): string[][] {
  const rows = read(file)
    .split('\n')
    .map((line) => (line.startsWith('|') ? line.split('|').slice(1, -1) : null))
    .map((cells) => cells?.map((cell) => cell.trim().replaceAll('`', '')) ?? null);
  const first = rows.findIndex((cells) => cells && head.every((cell, i) => cells[i] === cell));
  expect(first, `a table of ${head.join(', ')} in ${file}`).toBeGreaterThan(-1);
  const end = rows.findIndex((cells, i) => i > first && cells === null);
  return rows.slice(first + 2, end).filter((cells) => cells !== null);
}

/** What the rows of that table are about, in order. */
function namesUnder(file: string, ...head: string[]): string[] {
  return rowsUnder(file, ...head).map(([name = '']) => name);
}

/** The code of a document in a language. */
function blocksOf(file: string, language: string): string[] {
  return [...read(file).matchAll(/^```(\w+)\n(.*?)^```$/gms)]
    .filter((match) => match[1] === language)
    .map((match) => match[2] ?? '');
}

const parse = (file: string): ts.SourceFile =>
  ts.createSourceFile(file, read(file), ts.ScriptTarget.Latest, true);

/** The texts that a type of that name is a union of. */
function textsOf(file: string, type: string): string[] {
  const declaration = parse(file)
    .statements.filter(ts.isTypeAliasDeclaration)
    .find(({ name }) => name.text === type);
  const union = declaration?.type;
  if (!union || !ts.isUnionTypeNode(union)) throw new Error(`${file} has no union ${type}`);
  return union.types.flatMap((each) =>
    ts.isLiteralTypeNode(each) && ts.isStringLiteral(each.literal) ? [each.literal.text] : [],
  );
}

type Option = [name: string, byDefault: string];

/** The options of an interface, with what their comments say is the default. */
function optionsOf(type: string, prefix = ''): Option[] {
  const declaration = parse('src/auto-migration.options.ts')
    .statements.filter(ts.isInterfaceDeclaration)
    .find(({ name }) => name.text === type);
  return (declaration?.members ?? []).map((member) => {
    const text = /@default (.*?)\s*(?:\n|\*\/$)/.exec(commentOf(member))?.[1] ?? '';
    return [`${prefix}${member.name?.getText() ?? ''}`, text.replaceAll('*\\/', '*/')];
  });
}

function commentOf(node: ts.Node): string {
  return node
    .getFullText()
    .slice(0, node.getStart() - node.getFullStart())
    .trim();
}

const OPTIONS: Option[] = [
  ...optionsOf('AutoMigratorOptions'),
  ...optionsOf('AutoMigrationModuleOptions'),
  ...optionsOf('HealthOptions', 'health.'),
];

describe('docs/drift.md', () => {
  const rows = rowsUnder('docs/drift.md', 'kind');

  test('has a row for every kind of drift, and for no other', () => {
    expect(namesUnder('docs/drift.md', 'kind').toSorted()).toEqual([...DRIFT_KINDS].toSorted());
  });

  test.each(rows)('%s is told in full', (...cells) => {
    expect(cells).toHaveLength(5);
    expect(cells).not.toContain('');
  });

  test.each([
    ['disposition', textsOf('src/plan/policy.ts', 'Disposition')],
    ['hazard', textsOf('src/plan/hazard.ts', 'HazardKind')],
  ])('has a row for every %s', (head, wanted) => {
    expect(namesUnder('docs/drift.md', head).toSorted()).toEqual(wanted.toSorted());
  });
});

describe("the README's table of options", () => {
  const rows = rowsUnder('README.md', 'option', 'default');

  test('has a row for every option, and for no other', () => {
    expect(namesUnder('README.md', 'option').toSorted()).toEqual(OPTIONS.map(([name]) => name).toSorted());
  });

  test.each(OPTIONS)('%s: %s', (name, byDefault) => {
    expect(byDefault).not.toBe('');
    expect(rows.find((cells) => cells[0] === name)?.[1]).toBe(byDefault);
  });

  /** What holds when nothing is given; what the application at hand tells (its entities, its time zone) has no value. */
  const valueOf = (name: string): unknown =>
    name
      .split('.')
      .reduce<unknown>((from, key) => (from as Record<string, unknown>)[key], resolveModuleOptions({}));
  const plain = OPTIONS.filter(([name]) => typeof valueOf(name) !== 'object' && valueOf(name) !== undefined);

  test.each(plain)('%s is %s, indeed', (name, byDefault) => {
    expect(byDefault).toContain(inspect(valueOf(name)));
  });

  test('all other options have no plain value', () => {
    const names = OPTIONS.filter((option) => !plain.includes(option)).map(([name]) => name);
    expect(names.toSorted()).toEqual([
      'backfills',
      'dataFixes',
      'dataSource',
      'health',
      'ignore',
      'onStageFailure',
      'renamedFrom',
      'schemas',
      'staleAfterMs',
      'timeZone',
    ]);
  });
});

describe("the README's command line", async () => {
  const help = async (...args: string[]): Promise<string> => {
    const lines: string[] = [];
    const output = { out: (text: string) => lines.push(text), error: (text: string) => lines.push(text) };
    await runCommandLine([...args, '--help'], output, () => new AbortController().signal);
    return lines.join('\n');
  };
  const namesIn = (text: string, pattern: RegExp): string[] =>
    [...text.matchAll(pattern)].map((match) => match[1] ?? '');
  const general = await help();
  const commands = namesIn(general, /^ {2}(\w+) (?=.*\[options\])/gm);
  const all = [general, ...(await Promise.all(commands.map((command) => help(command))))].join('\n');
  const flags = [...new Set(namesIn(all, /^ {2}((?:-\w, )?--[\w-]+(?: <[\w.]+>)?)/gm))];

  test('has a row for every command', () => {
    expect(commands).toContain('heal');
    expect(namesUnder('README.md', 'command')).toEqual(commands);
  });

  test('has a row for every flag', () => {
    expect(flags).toContain('--json');
    expect(namesUnder('README.md', 'flag').toSorted()).toEqual(flags.toSorted());
  });

  test('has a row for every exit code', () => {
    expect(namesUnder('README.md', 'exit code').map(Number)).toEqual(
      Object.values(ExitCode).toSorted((one, other) => one - other),
    );
  });
});

describe('what the person on call reads', () => {
  const LOGGED = /logger\s*\.(log|warn|error|debug)\(\s*(?:'([^']+)'|"([^"]+)")/g;
  const watch = readdirSync(join(ROOT, 'src/watch')).map((name) => read(`src/watch/${name}`));
  const lines = watch.flatMap((source) =>
    [...source.matchAll(LOGGED)].map(([, level = '', one, other]) => [level, one ?? other ?? ''] as const),
  );
  const told = rowsUnder('docs/operations.md', 'level', 'message');

  test('every line of the log is explained, at its level, and no other', () => {
    const pairs = lines.map((line) => line.join(': '));
    const explained = told.map(([level, message]) => `${level}: ${message}`);
    expect(explained.toSorted()).toEqual([...new Set(pairs)].toSorted());
  });

  test("the README's log says what would be said", () => {
    const messages = lines.map(([, message]) => message);
    const shown = [...read('README.md').matchAll(/LOG \[AutoMigration\] ([^{\n]+) \{/g)].map(
      (match) => match[1],
    );
    expect(shown.length).toBeGreaterThan(2);
    expect(messages).toEqual(expect.arrayContaining(shown));
  });

  test.each(['README.md', 'docs/operations.md'])('%s has a row for every reason of /health', (file) => {
    const reasons = textsOf('src/watch/status.ts', 'StatusReason');
    expect(namesUnder(file, 'reason').toSorted()).toEqual(reasons.toSorted());
  });

  test('the queries of docs/operations.md run on a database that was healed', async () => {
    const database = await createTestDatabase({ template: 'hotel' });

    const migrator = new AutoMigrator(await openDataSource(database.url, HOTEL));
    expect(await migrator.heal()).toMatchObject({ outcome: 'healed' });
    const queries = blocksOf('docs/operations.md', 'sql');
    expect(queries.length).toBeGreaterThan(1);
    for (const sql of queries) await database.query(sql);
    const ofSteps = queries.find((sql) => sql.includes('auto_migration.step')) ?? '';
    expect(await database.query(ofSteps)).toContainEqual(expect.objectContaining({ trigger: 'api' }));
  });
});

describe('links', () => {
  const LINK = /\]\(([^)#\s]*)(#[^)\s]+)?\)/g;
  const links = DOCUMENTS.flatMap((file) =>
    [...read(file).matchAll(LINK)]
      .filter(([, target = '']) => !/^https?:/.test(target))
      .map(([, target = '', anchor = '']) => [file, target, anchor] as const),
  );

  test.each(links)('%s: %s%s', (file, target, anchor) => {
    const path = target === '' ? file : join(dirname(file), target);
    expect(existsSync(join(ROOT, path))).toBe(true);
    if (anchor === '') return;
    const headings = [...read(path).matchAll(/^#+ (.*)$/gm)].map(([, text = '']) => slugOf(text));
    expect(headings).toContain(anchor.slice(1));
  });
});

/** As GitHub makes it of a heading. */
function slugOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\w\s-]/g, '')
    .replaceAll(' ', '-');
}

describe('what the README tells to type', () => {
  interface Manifest {
    readonly scripts: Record<string, string>;
    readonly peerDependencies: Record<string, string>;
  }
  const manifest = (file: string): Manifest => JSON.parse(read(file)) as Manifest;

  const TYPED = /npm (?:run ([\w:-]+)|(start|test)\b)/g;
  const scripts = [...read('README.md').matchAll(TYPED)].map((match) => match[1] ?? match[2] ?? '');

  test.each([...new Set(scripts)])('npm run %s', (script) => {
    const known = { ...manifest('package.json').scripts, ...manifest('sample/hotel/package.json').scripts };
    expect(known).toHaveProperty([script]);
  });

  test.each(Object.keys(manifest('package.json').peerDependencies))('names the peer %s', (peer) => {
    expect(read('README.md')).toMatch(new RegExp(`[ \`]${peer}[\`\\s]`));
  });

  test('the command is there before anything is built, as npm links no other', () => {
    const bin = Object.values((JSON.parse(read('package.json')) as { bin: Record<string, string> }).bin);
    for (const file of bin) expect(file).not.toMatch(/^(\.\/)?dist\//);
  });

  test('its JSON is JSON', () => {
    for (const text of blocksOf('README.md', 'json')) expect(JSON.parse(text)).toBeTypeOf('object');
  });
});

describe('the TypeScript of the README compiles', () => {
  const examples = new Map(
    blocksOf('README.md', 'ts').map((text, i) => [join(ROOT, `example-${i + 1}.ts`), text]),
  );
  const { options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(join(ROOT, 'tsconfig.json'), (file) => ts.sys.readFile(file)).config,
    ts.sys,
    ROOT,
    // Ours alone: `nest new` does not set them.
    { exactOptionalPropertyTypes: false, noUnusedLocals: false, noEmit: true },
  );
  const host = ts.createCompilerHost(options);
  host.fileExists = (file) => examples.has(file) || ts.sys.fileExists(file);
  host.readFile = (file) => examples.get(file) ?? ts.sys.readFile(file);
  const program = ts.createProgram([...examples.keys()], options, host);

  test('the module is added in 15 lines, its own health route included', () => {
    const [first = ''] = examples.values();
    expect(first).toContain('AutoMigrationModule.forRoot');
    expect(first.trimEnd().split('\n').length).toBeLessThanOrEqual(15);
  });

  test.each([...examples.keys()].map((file) => [basename(file), file]))('%s', (_title, file) => {
    const source = program.getSourceFile(file);
    const diagnostics = [
      ...program.getSyntacticDiagnostics(source),
      ...program.getSemanticDiagnostics(source),
    ];
    expect(diagnostics.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))).toEqual(
      [],
    );
  });
});
