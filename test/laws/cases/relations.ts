import {
  ChildEntity,
  Column,
  Entity,
  EntitySchema,
  JoinColumn,
  JoinTable,
  ManyToMany,
  ManyToOne,
  OneToOne,
  PrimaryColumn,
  PrimaryGeneratedColumn,
  TableInheritance,
  Tree,
  TreeChildren,
  TreeParent,
} from 'typeorm';
import type { LawCase } from '../law-case.js';

function people(): (new () => object)[] {
  @Entity('country')
  class Country {
    @PrimaryColumn('varchar', { length: 2 }) code!: string;
    @PrimaryColumn('integer') epoch!: number;
  }
  @Entity('tag')
  class Tag {
    @PrimaryGeneratedColumn() id!: number;
  }
  @Entity('profile')
  class Profile {
    @PrimaryGeneratedColumn('uuid') id!: string;
  }
  @Entity('person')
  class Person {
    @PrimaryGeneratedColumn() id!: number;
    @ManyToOne(() => Country, { onDelete: 'SET NULL', onUpdate: 'CASCADE' }) country!: Country;
    @ManyToOne(() => Person, { deferrable: 'INITIALLY DEFERRED', onDelete: 'RESTRICT' }) boss!: Person;
    @ManyToOne(() => Person, { createForeignKeyConstraints: false }) friend!: Person;
    @ManyToOne(() => Tag, { nullable: false, onDelete: 'CASCADE' })
    @JoinColumn({ name: 'main_tag', foreignKeyConstraintName: 'FK main tag' })
    tag!: Tag;
    @OneToOne(() => Profile) @JoinColumn() profile!: Profile;
    @ManyToMany(() => Tag) @JoinTable() tags!: Tag[];
    @ManyToMany(() => Person)
    @JoinTable({ name: 'Friends', joinColumn: { name: 'one' }, inverseJoinColumn: { name: 'two' } })
    friends!: Person[];
  }
  return [Country, Tag, Profile, Person];
}

function circle(): (new () => object)[] {
  @Entity('hen')
  class Hen {
    @PrimaryGeneratedColumn() id!: number;
    @ManyToOne('egg') from!: object;
  }
  @Entity('egg')
  class egg {
    @PrimaryGeneratedColumn() id!: number;
    @ManyToOne(() => Hen) laidBy!: Hen;
  }
  return [Hen, egg];
}

function inheritance(): (new () => object)[] {
  @Entity('content')
  @TableInheritance({ column: { type: 'varchar', name: 'type' } })
  class Content {
    @PrimaryGeneratedColumn() id!: number;
  }
  @ChildEntity()
  class Photo extends Content {
    @Column('integer') size!: number;
  }
  @ChildEntity()
  class Question extends Content {
    @Column('integer', { default: 3 }) answers!: number;
  }
  return [Content, Photo, Question];
}

function embedded(): (new () => object)[] {
  class Name {
    @Column('text') first!: string;
    @Column('text', { nullable: true }) last!: string;
  }
  @Entity('author')
  class Author {
    @PrimaryGeneratedColumn() id!: number;
    @Column(() => Name) name!: Name;
    @Column(() => Name, { prefix: 'pen' }) penName!: Name;
  }
  return [Author];
}

function tree(
  type: 'closure-table' | 'materialized-path' | 'nested-set' | 'adjacency-list',
): () => (new () => object)[] {
  return () => {
    @Entity('category')
    @Tree(type)
    class Category {
      @PrimaryGeneratedColumn() id!: number;
      @TreeChildren() children!: Category[];
      @TreeParent() parent!: Category;
    }
    return [Category];
  };
}

function adjacency(): (new () => object)[] {
  @Entity('folder')
  class Folder {
    @PrimaryGeneratedColumn() id!: number;
    @ManyToOne(() => Folder) parent!: Folder;
  }
  return [Folder];
}

export const relations: LawCase[] = [
  { title: 'many kinds of relations', entities: people },
  { title: 'a circle of foreign keys', entities: circle },
  { title: 'single-table inheritance', entities: inheritance },
  { title: 'embedded entities', entities: embedded },
  { title: 'a closure tree', entities: tree('closure-table') },
  { title: 'a materialised path', entities: tree('materialized-path') },
  { title: 'a nested set', entities: tree('nested-set') },
  { title: 'a self reference', entities: adjacency },
  {
    title: 'tables of several schemas, of the same name, with foreign keys and enums across',
    setup: 'create schema sales; create schema "Other Place"',
    entities: () => [
      new EntitySchema<Record<string, unknown>>({
        name: 'here',
        schema: 'sales',
        tableName: 'thing',
        columns: {
          id: { type: 'integer', primary: true, generated: 'increment' },
          state: { type: 'enum', enum: ['a', 'b'], default: 'a' },
        },
        indices: [{ columns: ['state'] }],
      }),
      new EntitySchema<Record<string, unknown>>({
        name: 'there',
        schema: 'Other Place',
        tableName: 'thing',
        columns: {
          id: { type: 'integer', primary: true, generated: 'increment' },
          state: { type: 'enum', enum: ['a', 'b', 'c'], default: 'c' },
        },
        relations: { other: { type: 'many-to-one', target: 'here', onDelete: 'CASCADE' } },
        checks: [{ expression: `state <> 'b'` }],
      }),
      new EntitySchema<Record<string, unknown>>({
        name: 'thing',
        columns: { id: { type: 'integer', primary: true } },
        relations: { other: { type: 'many-to-one', target: 'there' } },
      }),
    ],
  },
  {
    title: 'an entity and a junction table of one name',
    entities: () => [
      new EntitySchema<Record<string, unknown>>({
        name: 'left',
        columns: { id: { type: 'integer', primary: true } },
        relations: {
          rights: {
            type: 'many-to-many',
            target: 'right',
            joinTable: {
              name: 'both',
              joinColumn: { name: 'left_id' },
              inverseJoinColumn: { name: 'right_id' },
            },
          },
        },
      }),
      new EntitySchema<Record<string, unknown>>({
        name: 'right',
        columns: { id: { type: 'integer', primary: true } },
      }),
    ],
  },
  {
    title: 'two entities on one table',
    entities: () => [
      new EntitySchema<Record<string, unknown>>({
        name: 'one',
        tableName: 'shared',
        columns: { id: { type: 'integer', primary: true }, a: { type: 'text' } },
      }),
      new EntitySchema<Record<string, unknown>>({
        name: 'same',
        tableName: 'shared',
        columns: { id: { type: 'integer', primary: true }, a: { type: 'text' } },
      }),
    ],
  },
];
