/**
 * SQL expressions that free a transaction, or a whole session, of the times that a DBA may have set for the application's
 * role or database. They are meant for requests: a session of ours is idle while another one works, and is at one statement
 * for hours. Each transaction of ours that others could wait for has limits of its own.
 */
export function liftLimits(scope: 'transaction' | 'session'): string {
  const lift = (name: string): string => `pg_catalog.set_config('${name}', '0', ${scope === 'transaction'})`;
  return [
    lift('statement_timeout'),
    lift('idle_session_timeout'),
    lift('idle_in_transaction_session_timeout'),
    // https://www.postgresql.org/docs/17/runtime-config-client.html#GUC-TRANSACTION-TIMEOUT
    `case when current_setting('server_version_num')::int >= 170000 then ${lift('transaction_timeout')} end`,
  ].join(', ');
}
