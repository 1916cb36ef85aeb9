import { MigrationExecutor, type DataSource, type Migration, type QueryRunner } from 'typeorm';
import { queryRows, type Connection } from '../schema/connection.js';
import { quoteLiteral, quoteQualified } from '../schema/identifier.js';
import { defaultSchema } from './table-of.js';

/** Told of each migration before it runs; what it throws ends the run. */
export type OnMigration = (name: string) => Promise<void>;

/** The TypeORM migrations of a data source. */
export class Migrations {
  /** Known without a query: whether the last look found any that has not run. */
  mayBePending = true;

  constructor(private readonly dataSource: DataSource) {}

  /** The names of those that have not run in this database, in the order in which they would. */
  async pending(connection: Connection): Promise<string[]> {
    const executed = new Set(await this.executed(connection));
    const pending = this.dataSource.migrations
      .map((migration) => migration.name ?? migration.constructor.name)
      .filter((name) => !executed.has(name))
      .toSorted((one, other) => timestampOf(one) - timestampOf(other));
    this.mayBePending = pending.length > 0;
    return pending;
  }

  /**
   * Runs what is pending as TypeORM does, with the data source's own `migrationsTransactionMode`.
   *
   * @throws what the migration throws; what stays of it depends on that mode
   */
  async run(onMigration: OnMigration): Promise<void> {
    const executor = new WatchedExecutor(this.dataSource, onMigration);
    executor.transaction = this.dataSource.options.migrationsTransactionMode ?? 'all';
    await executor.executePendingMigrations();
  }

  private async executed(connection: Connection): Promise<string[]> {
    const { migrationsTableName = 'migrations' } = this.dataSource.options;
    const table = quoteQualified({ schema: defaultSchema(this.dataSource), name: migrationsTableName });
    const exists = `select to_regclass(${quoteLiteral(table)}) is not null as there`;
    const [found] = await queryRows<{ there: boolean }>(connection, exists);
    if (!found?.there) return [];
    const rows = await queryRows<{ name: string }>(connection, `select name from ${table}`);
    return rows.map(({ name }) => name);
  }
}

/** TypeORM tells nobody which migration it is at. */
class WatchedExecutor extends MigrationExecutor {
  constructor(
    dataSource: DataSource,
    private readonly onMigration: OnMigration,
  ) {
    super(dataSource);
  }

  protected override getMigrations(): Migration[] {
    const migrations = super.getMigrations();
    for (const migration of migrations) {
      const { instance, name } = migration;
      if (!instance) continue;
      // The application's own object stays as it is.
      migration.instance = Object.create(instance, {
        up: {
          value: async (queryRunner: QueryRunner) => {
            await this.onMigration(name);
            await instance.up(queryRunner);
          },
        },
      }) as typeof instance;
    }
    return migrations;
  }
}

/** By TypeORM's convention a name ends in JavaScript's time. */
function timestampOf(name: string): number {
  return Number.parseInt(name.slice(-13), 10);
}
