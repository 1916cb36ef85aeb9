/**
 * Rows that a policy would leave out are an error then: what is counted or filled is all of them, or none. The
 * application's own sessions stay as they are.
 * https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-ROW-SECURITY
 */
export const SEE_ALL_ROWS = `set local row_security = off`;

/**
 * SQL expressions that free a transaction, or a whole session, of the times that a DBA may have set for the application's
 * role or database, and of policies that leave rows out (see {@link SEE_ALL_ROWS}). These times are meant for requests: a
 * session of ours is idle while another one works, and is at one statement for hours. Each transaction of ours that others
 * could wait for has limits of its own.
 */
export function liftLimits(scope: 'transaction' | 'session'): string {
  const isLocal = scope === 'transaction';
  const lift = (name: string): string => `pg_catalog.set_config('${name}', '0', ${isLocal})`;
  return [
    `pg_catalog.set_config('row_security', 'off', ${isLocal})`,
    lift('statement_timeout'),
    lift('idle_session_timeout'),
    lift('idle_in_transaction_session_timeout'),
    // https://www.postgresql.org/docs/17/runtime-config-client.html#GUC-TRANSACTION-TIMEOUT
    `case when current_setting('server_version_num')::int >= 170000 then ${lift('transaction_timeout')} end`,
  ].join(', ');
}
