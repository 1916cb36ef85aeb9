export { findRunningPostgres, startPostgres } from './embedded-postgres.mjs';
