import { Column, DataSource, Entity, Index, PrimaryColumn, ViewColumn, ViewEntity } from 'typeorm';
import type { LawCase } from '../law-case.js';

function chain(): (new () => object)[] {
  @Entity('post')
  class Post {
    @PrimaryColumn('integer') id!: number;
    @Column('text') title!: string;
    @Column('integer') score!: number;
  }
  @ViewEntity({ name: 'good_posts', expression: `SELECT "id", "title" FROM "post" WHERE "score" > 3` })
  class GoodPosts {
    @ViewColumn() id!: number;
  }
  @ViewEntity({
    name: 'a_on_top',
    dependsOn: [GoodPosts],
    expression: `
      select g.id, upper(g.title) as title from good_posts g join public.post p on p.id = g.id
    `,
  })
  class OnTop {
    @ViewColumn() id!: number;
  }
  @ViewEntity({
    name: 'built',
    expression: (dataSource: DataSource) =>
      dataSource
        .createQueryBuilder()
        .select('post.id', 'id')
        .addSelect('post.score', 'score')
        .from(Post, 'post'),
  })
  class Built {
    @ViewColumn() id!: number;
  }
  @ViewEntity({ name: 'kept', materialized: true, expression: 'SELECT id, title FROM post' })
  @Index('kept_id', ['id'], { unique: true })
  @Index('kept_title', ['title'])
  class Kept {
    @ViewColumn() id!: number;
    @ViewColumn() title!: string;
  }
  return [OnTop, GoodPosts, Built, Kept, Post];
}

function acrossSchemas(): (new () => object)[] {
  @Entity({ name: 'sale', schema: 'sales' })
  class Sale {
    @PrimaryColumn('integer') id!: number;
  }
  @ViewEntity({
    name: 'sale_view',
    schema: 'reports',
    expression: 'select id from sales.sale union select id from "sales"."sale"',
  })
  class SaleView {
    @ViewColumn() id!: number;
  }
  return [SaleView, Sale];
}

export const views: LawCase[] = [
  { title: 'views, materialised ones with indexes, views on views', entities: chain },
  {
    title: 'a view of another schema',
    setup: 'create schema sales; create schema reports',
    entities: acrossSchemas,
  },
];
