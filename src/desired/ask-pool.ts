import type { DataSource } from 'typeorm';
import { ConnectionError } from '../errors.js';
import { within } from '../within.js';
import { APPLICATION_NAME, CONNECT_TIMEOUT_MS } from './session.js';

/** What a question of ours begins with, so that in the application's sessions it is told from its own. */
export const OF_OURS = `/* ${APPLICATION_NAME} */`;

/**
 * A way to ask by the application's own pool what is answered in milliseconds by whoever is there: no longer than a new
 * session may take. As long as an answer has not come after all, nothing more is asked, so that this never holds more
 * than one of the pool's connections.
 *
 * @throws ConnectionError when no answer comes
 */
export function askerOf(
  dataSource: DataSource,
): <Row>(sql: string, values: readonly unknown[]) => Promise<Row[]> {
  const overdue = new Set<Promise<unknown>>();
  return async <Row>(sql: string, values: readonly unknown[]): Promise<Row[]> => {
    const timeoutMs = limitOf(dataSource);
    const silence = new ConnectionError(
      new Error(`no answer by the application's pool within ${timeoutMs / 1000} s`),
    );
    if (overdue.size > 0) throw silence;
    const asked = dataSource.query<Row[]>(`${OF_OURS} ${sql}`, [...values]);
    const rows = await within(timeoutMs, asked);
    if (rows) return rows;
    overdue.add(asked);
    const arrived = (): void => void overdue.delete(asked);
    asked.then(arrived, arrived);
    throw silence;
  };
}

function limitOf({ options }: DataSource): number {
  const own = options.type === 'postgres' ? options.connectTimeoutMS : undefined;
  return own ?? CONNECT_TIMEOUT_MS;
}
