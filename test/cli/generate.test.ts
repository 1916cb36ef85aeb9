import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';
import {
  Column,
  Entity,
  EntitySchema,
  Index,
  PrimaryColumn,
  type DataSource,
  type MigrationInterface,
} from 'typeorm';
import { afterAll, describe, expect, test } from 'vitest';
import type { AutoMigratorOptions } from '../../src/auto-migration.options.js';
import { AutoMigrator } from '../../src/auto-migrator.js';
import { generate, type GenerateReport } from '../../src/cli/generate.js';
import { runCommandLine } from '../../src/cli/program.js';
import { HOTEL } from '../auto-migrator/hotel-entities.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { CATALOG } from '../rollback/catalog.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';

const ROOT = join(import.meta.dirname, '..', '..');
const folder = mkdtempSync(join(tmpdir(), 'auto-migrate-'));
afterAll(() => rmSync(folder, { recursive: true }));

type Entities = Parameters<typeof openDataSource>[1];
type MigrationClass = new () => MigrationInterface;

interface Generated {
  readonly report: GenerateReport;
  readonly exitCode: number;
  readonly output: string;
}

async function generateFor(
  database: TestDatabase,
  entities: Entities,
  flags: { js?: boolean; type?: string } = {},
  options: AutoMigratorOptions = {},
): Promise<Generated> {
  const output = join(folder, crypto.randomUUID());
  if (flags.type !== undefined) {
    mkdirSync(output);
    writeFileSync(join(output, 'package.json'), JSON.stringify({ type: flags.type }));
  }
  const migrator = new AutoMigrator(await openDataSource(database.url, entities), {
    execution: 'online',
    ...options,
  });
  const { report, exitCode } = await generate(migrator, { name: 'Heal', output, js: flags.js ?? false });
  return { report, exitCode, output };
}

/** What strict TypeScript has to say about files, as if they stood in this repository. */
function complaints(files: readonly string[]): string[] {
  const { options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(join(ROOT, 'tsconfig.json'), (file) => ts.sys.readFile(file)).config,
    ts.sys,
    ROOT,
    { noEmit: true },
  );
  const texts = new Map(
    files.map((file, i) => [join(ROOT, `migration-${i}.ts`), readFileSync(file, 'utf8')]),
  );
  const host = ts.createCompilerHost(options);
  host.fileExists = (file) => texts.has(file) || ts.sys.fileExists(file);
  host.readFile = (file) => texts.get(file) ?? ts.sys.readFile(file);
  const program = ts.createProgram([...texts.keys()], options, host);
  return ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}

/** TypeScript becomes JavaScript as any application's build makes it. */
async function load(files: readonly string[]): Promise<MigrationClass[]> {
  const classes: MigrationClass[] = [];
  for (const file of files) {
    const built = file.endsWith('.ts') ? file.replace(/ts$/, 'mjs') : file;
    if (built !== file) {
      const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 };
      writeFileSync(built, ts.transpileModule(readFileSync(file, 'utf8'), { compilerOptions }).outputText);
    }
    const module = (await import(/* @vite-ignore */ pathToFileURL(built).href)) as Record<string, unknown>;
    classes.push(
      ...Object.values(module).filter((each): each is MigrationClass => typeof each === 'function'),
    );
  }
  return classes;
}

/** By TypeORM's own means, without us. */
async function migrate(database: TestDatabase, migrations: MigrationClass[]) {
  const dataSource = await openDataSource(database.url, [], {
    migrations,
    migrationsTransactionMode: 'each',
  });
  await dataSource.runMigrations();
  return dataSource;
}

/** TypeORM itself does not heed `transaction = false` here. */
async function revert(dataSource: DataSource, migrations: readonly MigrationClass[]): Promise<void> {
  for (const Migration of migrations.toReversed()) {
    const isOutside = new Migration().transaction === false;
    await dataSource.undoLastMigration({ transaction: isOutside ? 'none' : 'each' });
  }
}

const check = async (database: TestDatabase, entities: Entities) =>
  new AutoMigrator(await openDataSource(database.url, entities)).check();

describe('the hotel', () => {
  test('is brought into sync by the generated TypeScript and taken back by its down', async () => {
    const database = await createTestDatabase({ template: 'hotel' });
    const { report, exitCode, output } = await generateFor(database, HOTEL);
    expect(exitCode).toBe(0);
    expect(report).toMatchObject({ needsEach: true, open: [], error: null });
    expect(readdirSync(output).map((name) => join(output, name))).toEqual(report.files);
    expect(complaints(report.files)).toEqual([]);

    const classes = await load(report.files);
    expect(classes).toHaveLength(report.files.length);
    const dataSource = await migrate(database, classes);
    expect(await check(database, HOTEL)).toMatchObject({ verdict: 'in-sync', error: null });
    expect(await dataSource.showMigrations()).toBe(false);

    await revert(dataSource, classes);
    const { drift } = await check(database, HOTEL);
    // What would lose values stays; indexes and checks on what is left go.
    const open = drift.filter(({ disposition }) => disposition === 'heal').map(({ kind }) => kind);
    expect(open).toContain('missing-index');
    expect(open).not.toContain('missing-column');
    expect(open).not.toContain('missing-table');
  });

  test('with views and generated columns leaves the table of its notes to TypeORM', async () => {
    const database = await createTestDatabase();
    const entities = [
      new EntitySchema({
        name: 'bed',
        columns: {
          id: { type: 'integer', primary: true },
          half: { type: 'integer', asExpression: 'id / 2', generatedType: 'STORED' },
        },
      }),
      new EntitySchema({
        name: 'beds',
        type: 'view',
        expression: 'select id from bed',
        columns: { id: { type: 'integer' } },
      }),
    ];
    const { report } = await generateFor(database, entities);
    const classes = await load(report.files);
    const dataSource = await openDataSource(database.url, entities, {
      migrations: classes,
      migrationsTransactionMode: 'each',
    });
    await dataSource.runMigrations();
    expect(await check(database, entities)).toMatchObject({ verdict: 'in-sync', error: null });
    expect((await dataSource.driver.createSchemaBuilder().log()).upQueries).toEqual([]);
  });

  test('takes back an index that no key has taken yet, as the next file may have failed', async () => {
    const database = await createTestDatabase();
    await database.query(`create table bed (id integer constraint bed_pkey primary key, code text);
      insert into bed values (1, 'a')`);
    const bed = new EntitySchema({
      name: 'bed',
      columns: {
        id: { type: 'integer', primary: true, primaryKeyConstraintName: 'bed_pkey' },
        code: { type: 'text', nullable: true },
      },
      uniques: [{ name: 'bed_code', columns: ['code'] }],
    });
    const { report } = await generateFor(database, [bed], {}, { smallTableBytes: 0 });
    const [building, taking] = report.files.map((file) => readFileSync(file, 'utf8'));
    expect(building).toContain('CREATE UNIQUE INDEX CONCURRENTLY');
    expect(building).toContain('DROP INDEX CONCURRENTLY IF EXISTS');
    expect(taking).toContain(
      '// Its index goes along: revert the migration that builds it, too, before this one is run again.',
    );
    // As it says.
    const classes = await load(report.files);
    const dataSource = await migrate(database, classes);
    await revert(dataSource, classes);
    await dataSource.runMigrations();
    expect(await check(database, [bed])).toMatchObject({ verdict: 'in-sync' });
  });

  test('has what runs CONCURRENTLY outside a transaction, and nothing else mixed with it', async () => {
    const database = await createTestDatabase({ template: 'hotel' });
    const { report } = await generateFor(database, HOTEL);
    const texts = report.files.map((file) => readFileSync(file, 'utf8'));
    const outside = texts.map((text) => text.includes('transaction = false;'));
    expect(new Set(outside)).toEqual(new Set([true, false]));
    for (const [i, text] of texts.entries()) {
      expect(text.includes('CONCURRENTLY')).toBe(outside[i]);
      expect(text.includes('SET LOCAL lock_timeout')).toBe(!outside[i]);
    }
  });
});

@Entity('room')
@Index('room_code', ['code'], { unique: true })
class Room {
  @PrimaryColumn('integer')
  id!: number;

  @Column('text', { comment: 'a `tick`, ${a} brace and a \\ slash', nullable: true })
  code!: string | null;

  @Column('integer', { default: 2 })
  floor!: number;

  @Column('text')
  wing!: string;
}

const ROOMS = `create table room (id integer constraint "PK_c6d46db005d623e691b2fbcba23" primary key, code text,
  floor integer default 1, wing text); insert into room (id, wing) values (1, 'a')`;

describe('NOT NULL, a default, a comment with all that a template has a meaning for', () => {
  test('run, are in sync, and go back to what they were', async () => {
    const database = await createTestDatabase();
    await database.query(ROOMS);
    const { report } = await generateFor(database, [Room]);
    expect(complaints(report.files)).toEqual([]);
    const texts = report.files.map((file) => readFileSync(file, 'utf8'));
    // Both columns' checks are validated together, after both were added and before either is used.
    expect(texts.filter((text) => text.includes('VALIDATE CONSTRAINT'))).toHaveLength(1);

    const classes = await load(report.files);
    const dataSource = await migrate(database, classes);
    expect(await check(database, [Room])).toMatchObject({ verdict: 'in-sync', drift: [] });
    await revert(dataSource, classes);
    expect(
      await database.query(
        `select attname as name, attnotnull as required, pg_get_expr(adbin, adrelid) as expression
        from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum
        where attrelid = 'room'::regclass and attname in ('floor', 'wing') order by 1`,
      ),
    ).toEqual([
      { name: 'floor', required: false, expression: '1' },
      { name: 'wing', required: false, expression: null },
    ]);
  });

  test.each([
    ['module', 'export class'],
    ['commonjs', 'exports.'],
  ])('as JavaScript of a package of type %s', async (type, words) => {
    const database = await createTestDatabase();
    await database.query(ROOMS);
    const { report } = await generateFor(database, [Room], { js: true, type });
    for (const file of report.files) expect(readFileSync(file, 'utf8')).toContain(words);
    const classes = await load(report.files);
    await migrate(database, [...new Set(classes)]);
    expect(await check(database, [Room])).toMatchObject({ verdict: 'in-sync' });
  });
});

const lift = (columns: object, more: object = {}): EntitySchema =>
  new EntitySchema({
    name: 'lift',
    columns: {
      id: { type: 'integer', primary: true, primaryKeyConstraintName: 'lift_pkey' },
      ...columns,
    },
    ...more,
  });
const code = { type: 'text', nullable: true } as const;

describe('down takes back whole, or says what it leaves', () => {
  test.each<[title: string, sql: string, entities: EntitySchema[], left: RegExp[]]>([
    [
      'a wider type below a default',
      'code smallint default 3',
      [lift({ code: { type: 'integer', nullable: true, default: 3 } })],
      [/change type is not undone/],
    ],
    [
      'a wider type with another default',
      `code varchar(5) default 'x'`,
      [lift({ code: { ...code, default: 'y' } })],
      [/change type is not undone/],
    ],
    [
      'a check that was replaced',
      'code text constraint lift_code check (code > $$a$$)',
      [lift({ code }, { checks: [{ name: 'lift_code', expression: `code > 'b'` }] })],
      [/drop constraint is not undone/],
    ],
    [
      'a unique that has taken an index',
      'code text; create unique index by_hand on lift (code)',
      [lift({ code }, { uniques: [{ name: 'lift_code', columns: ['code'] }] })],
      [/has taken an index that was there/],
    ],
    [
      'a new column of a new enum type',
      'code text',
      [lift({ code, mood: { type: 'enum', enum: ['sad'], nullable: true } })],
      [/create type is not undone/, /add column is not undone/],
    ],
    [
      'a comment',
      `code text; comment on column lift.code is 'its \\ "number"'`,
      [lift({ code: { ...code, comment: 'another' } })],
      [],
    ],
  ])('%s', async (_title, sql, entities, left) => {
    const database = await createTestDatabase();
    const [column = '', ...statements] = sql.split(';');
    await database.query(
      `create table lift (id integer constraint lift_pkey primary key, ${column}); ${statements.join(';')}`,
    );
    const before = await database.query(CATALOG);
    const { report } = await generateFor(database, entities);
    const classes = await load(report.files);
    const dataSource = await migrate(database, classes);
    const after = await database.query(CATALOG);
    await revert(dataSource, classes);
    const texts = report.files.map((file) => readFileSync(file, 'utf8')).join('\n');
    for (const each of left) expect(texts).toMatch(each);
    const others = (rows: object[]): object[] =>
      rows.filter((row) => !/migrations|PK_8c82d7f526340ab734260ea46be/.test(JSON.stringify(row)));
    expect(others(await database.query(CATALOG))).toEqual(others(left.length > 0 ? after : before));
  });
});

test('down keeps the NOT NULL of a primary key that it keeps', async () => {
  const database = await createTestDatabase();
  await database.query(`create table stay (id integer, night integer) partition by range (night);
    create table stay_1 partition of stay for values from (0) to (10);
    insert into stay select i, i % 10 from generate_series(1, 100) i`);
  const key = { type: 'integer', primary: true, primaryKeyConstraintName: 'stay_pkey' } as const;
  const stay = new EntitySchema({ name: 'stay', columns: { id: key, night: key } });
  const { report } = await generateFor(database, [stay], {}, { smallTableBytes: 0 });
  const classes = await load(report.files);
  const dataSource = await migrate(database, classes);
  await revert(dataSource, classes);
  const required = `select attname as name from pg_attribute
    where attrelid = 'stay'::regclass and attnum > 0 and attnotnull order by 1`;
  expect(await database.query(required)).toEqual([{ name: 'id' }, { name: 'night' }]);
});

test('backfills that read one another fill all rows, before their columns are NOT NULL', async () => {
  const database = await createTestDatabase();
  await database.query(`create table lift (id integer constraint lift_pkey primary key);
    insert into lift values (1), (2)`);
  const text = { type: 'text' } as const;
  const columns = { a: text, b: text, c: text, key: { type: 'uuid', default: () => 'gen_random_uuid()' } };
  const dataSource = await openDataSource(database.url, [lift(columns)]);
  const migrator = new AutoMigrator(dataSource, {
    execution: 'online',
    backfills: [
      { table: 'lift', column: 'a', expression: `b || '!'` },
      { table: 'lift', column: 'b', expression: `c || '!'` },
      { table: 'lift', column: 'c', expression: 'length(key::text)::text' },
    ],
  });
  const { report } = await generate(migrator, { name: 'Heal', output: join(folder, crypto.randomUUID()) });
  expect(complaints(report.files)).toEqual([]);
  await migrate(database, await load(report.files));
  expect(await database.query('select a from lift')).toEqual([{ a: '36!!' }, { a: '36!!' }]);
  expect(await migrator.heal()).toMatchObject({ failed: [], open: [] });
});

test('what stays open is told and not written', async () => {
  const database = await createTestDatabase();
  await database.query(ROOMS.replace("'a'", 'null'));
  const { report, exitCode } = await generateFor(database, [Room]);
  expect(exitCode).toBe(2);
  expect(report.open).toMatchObject([{ object: 'public.room.wing' }]);
  for (const file of report.files) expect(readFileSync(file, 'utf8')).not.toContain('"wing"');
});

test('a database in sync gets no file', async () => {
  const database = await createTestDatabase();
  await database.query('create table nothing (id integer primary key)');
  const nothing = new EntitySchema({ name: 'nothing', columns: { id: { type: 'integer', primary: true } } });
  const { report, exitCode } = await generateFor(database, [nothing]);
  expect({ report, exitCode }).toMatchObject({ report: { files: [], open: [] }, exitCode: 0 });
});

test.each([
  [['-n', 'Nothing'], 0, 'Nothing to generate'],
  [['-n', '1; drop'], 1, "cannot be a class's name"],
  [[], 1, "required option '-n, --name <name>'"],
])('auto-migrate generate %j exits %i', async (args, exitCode, words) => {
  const { url } = await createTestDatabase();
  const file = join(folder, `${crypto.randomUUID()}.mjs`);
  writeFileSync(
    file,
    `import { DataSource } from ${JSON.stringify(import.meta.resolve('typeorm'))};
     export default new DataSource({ type: 'postgres', url: ${JSON.stringify(url)}, entities: [] });`,
  );
  const lines: string[] = [];
  const output = { out: (text: string) => lines.push(text), error: (text: string) => lines.push(text) };
  const all = ['generate', '-d', file, '-o', join(folder, 'none'), ...args];
  expect(await runCommandLine(all, output, () => new AbortController().signal)).toBe(exitCode);
  expect(lines.join('\n')).toContain(words);
});
