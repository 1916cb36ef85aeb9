import { DataSource } from 'typeorm';
import { runningDatabaseUrl } from './database/database-url.js';
import { ENTITIES } from './entities/index.js';

/** For the command line: `auto-migrate check -d dist/data-source.js`. A promise, as TypeORM's own allows. */
export default runningDatabaseUrl().then(
  (url) => new DataSource({ type: 'postgres', url, entities: ENTITIES }),
);
