import {
  EntitySchema,
  type EntitySchemaOptions,
  type EntitySchemaRelationOptions as Relation,
} from 'typeorm';
import { expect, test } from 'vitest';
import { AutoMigrator } from '../../src/auto-migrator.js';
import type { FormerNames } from '../../src/desired/former-names.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase } from '../setup/database.js';

const entity = (
  name: string,
  relations: Record<string, Relation> = {},
  rest: Partial<EntitySchemaOptions<unknown>> = {},
): EntitySchema =>
  new EntitySchema({ name, columns: { id: { type: 'integer', primary: true } }, relations, ...rest });

const many = (target: string, joinTable: NonNullable<Relation['joinTable']> = true): Relation => ({
  type: 'many-to-many',
  target,
  joinTable,
});

const skill = entity('skill');
const STAFF = { tables: { staff: ['employee'] } };
const LONG = 'a_name_that_is_so_long_that_the_name_of_its_junction_is_cut';

interface JunctionCase {
  readonly title: string;
  readonly before: readonly EntitySchema[];
  readonly rows: string;
  readonly after: readonly EntitySchema[];
  readonly renamedFrom: FormerNames;
  readonly dataSource?: { readonly entityPrefix: string };
  /** The junction as it is then, and its one row. */
  readonly junction: string;
  readonly row: Record<string, unknown>;
}

const ROWS =
  'insert into skill values (5); insert into employee values (7); insert into employee_skills_skill values (7, 5)';

const cases: JunctionCase[] = [
  {
    title: 'of a renamed owner',
    before: [skill, entity('employee', { skills: many('skill') })],
    rows: ROWS,
    after: [skill, entity('staff', { skills: many('skill') })],
    renamedFrom: STAFF,
    junction: 'staff_skills_skill',
    row: { staffId: 7, skillId: 5 },
  },
  {
    title: 'of an owner and another side that are both renamed',
    before: [skill, entity('employee', { skills: many('skill') })],
    rows: ROWS,
    after: [entity('craft'), entity('staff', { skills: many('craft') })],
    renamedFrom: { tables: { ...STAFF.tables, craft: ['art', 'skill'] } },
    junction: 'staff_skills_craft',
    row: { staffId: 7, craftId: 5 },
  },
  {
    title: 'of a table with itself',
    before: [entity('employee', { mentors: many('employee') })],
    rows: 'insert into employee values (1), (2); insert into employee_mentors_employee values (1, 2)',
    after: [entity('staff', { mentors: many('staff') })],
    renamedFrom: STAFF,
    junction: 'staff_mentors_staff',
    row: { staffId_1: 1, staffId_2: 2 },
  },
  {
    title: 'with a name of its own, but not for its columns',
    before: [skill, entity('employee', { skills: many('skill', { name: 'can' }) })],
    rows: 'insert into skill values (5); insert into employee values (7); insert into can values (7, 5)',
    after: [skill, entity('staff', { skills: many('skill', { name: 'can' }) })],
    renamedFrom: STAFF,
    junction: 'can',
    row: { staffId: 7, skillId: 5 },
  },
  {
    title: 'with a column of its own name',
    before: [skill, entity('employee', { skills: many('skill', { joinColumn: { name: 'who' } }) })],
    rows: ROWS,
    after: [skill, entity('staff', { skills: many('skill', { joinColumn: { name: 'who' } }) })],
    renamedFrom: STAFF,
    junction: 'staff_skills_skill',
    row: { who: 7, skillId: 5 },
  },
  {
    title: 'that points to a renamed column',
    before: [skill, entity('employee', { skills: many('skill') })],
    rows: ROWS,
    after: [
      skill,
      entity(
        'staff',
        { skills: many('skill') },
        { columns: { id: { name: 'number', type: 'integer', primary: true } } },
      ),
    ],
    renamedFrom: { ...STAFF, columns: { 'staff.number': ['id'] } },
    junction: 'staff_skills_skill',
    row: { staffNumber: 7, skillId: 5 },
  },
  {
    title: 'with a prefix',
    before: [skill, entity('employee', { skills: many('skill') })],
    rows: 'insert into h_skill values (5); insert into h_employee values (7); insert into h_employee_skills_skill values (7, 5)',
    after: [skill, entity('staff', { skills: many('skill') })],
    renamedFrom: { tables: { h_staff: ['h_employee'] } },
    dataSource: { entityPrefix: 'h_' },
    junction: 'h_staff_skills_skill',
    row: { staffId: 7, skillId: 5 },
  },
  {
    title: 'whose old name TypeORM has shortened',
    before: [skill, entity(LONG, { skills: many('skill') })],
    rows: `insert into skill values (5); insert into ${LONG} values (7); insert into a_nam_tha_is_so_lon_tha_the_nam_of_its_jun_is_cut_ski_ski values (7, 5)`,
    after: [skill, entity('staff', { skills: many('skill') })],
    renamedFrom: { tables: { staff: [LONG] } },
    junction: 'staff_skills_skill',
    row: { staffId: 7, skillId: 5 },
  },
  {
    title: "of a tree's closure",
    before: [
      entity(
        'employee',
        { boss: { type: 'many-to-one', target: 'employee', treeParent: true } },
        { trees: [{ type: 'closure-table' }] },
      ),
    ],
    rows: 'insert into employee values (1, null); insert into employee_closure values (1, 1)',
    after: [
      entity(
        'staff',
        { boss: { type: 'many-to-one', target: 'staff', treeParent: true } },
        { trees: [{ type: 'closure-table' }] },
      ),
    ],
    renamedFrom: STAFF,
    junction: 'staff_closure',
    row: { id_ancestor: 1, id_descendant: 1 },
  },
];

test.each(cases)(
  'the rows of a junction come along: $title',
  async ({ before, rows, after, renamedFrom, dataSource = {}, junction, row }) => {
    const database = await createTestDatabase();
    const old = await openDataSource(database.url, [...before], dataSource);
    await old.synchronize();
    await database.query(rows);
    const options = { execution: 'online', renamedFrom } as const;
    const migrator = new AutoMigrator(await openDataSource(database.url, [...after], dataSource), options);
    expect(await migrator.heal()).toMatchObject({ outcome: 'healed', open: [], failed: [] });
    expect(await migrator.check()).toMatchObject({ verdict: 'in-sync', drift: [] });
    expect(await database.query(`select * from "${junction}"`)).toEqual([row]);
  },
);

test('where both junctions are there, nothing is guessed', async () => {
  const database = await createTestDatabase();
  const old = await openDataSource(database.url, [skill, entity('employee', { skills: many('skill') })]);
  await old.synchronize();
  await database.query('create table staff_skills_skill ()');
  const after = [skill, entity('staff', { skills: many('skill') })];
  const migrator = new AutoMigrator(await openDataSource(database.url, after), {
    execution: 'online',
    renamedFrom: STAFF,
  });
  const { open } = await migrator.heal();
  expect(open).toContainEqual(
    expect.objectContaining({
      kind: 'renamed-table',
      object: 'public.staff_skills_skill',
      reason: expect.stringContaining(
        'both employee_skills_skill and staff_skills_skill are there',
      ) as string,
    }),
  );
});
