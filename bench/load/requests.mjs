import { randomUUID } from 'node:crypto';

/** @typedef {'read' | 'update' | 'insert'} RequestKind */

/**
 * One statement in a transaction of its own, as an application sends it that knows the tables as they were before.
 * @typedef {object} Request
 * @property {RequestKind} kind
 * @property {number} share of all requests
 * @property {string} text not prepared under a name, just as TypeORM sends it
 * @property {(rows: number) => unknown[]} values of the parameters, for a table of so many rows
 */

/** @type {Request} */
const READ = {
  kind: 'read',
  share: 0.7,
  text: 'select id, code, account_id, status, amount, note, created_at, updated_at from booking where id = $1',
  values: (rows) => [upTo(rows)],
};

/** @type {readonly Request[]} */
const REQUESTS = [
  READ,
  {
    kind: 'update',
    share: 0.2,
    text: 'update booking set amount = $2, updated_at = now() where id = $1',
    values: (rows) => [upTo(rows), upTo(1_000)],
  },
  {
    kind: 'insert',
    share: 0.1,
    text: 'insert into booking (code, account_id, status, amount, note) values ($1, 1, $2, $3, $4)',
    values: () => [randomUUID(), 'new', upTo(1_000), 'booked just now'],
  },
];

/**
 * One of these kinds at random, by their shares.
 * @param {readonly RequestKind[]} kinds
 */
export function nextRequest(kinds) {
  const requests = REQUESTS.filter(({ kind }) => kinds.includes(kind));
  let place = Math.random() * requests.reduce((sum, { share }) => sum + share, 0);
  for (const request of requests) {
    place -= request.share;
    if (place < 0) return request;
  }
  return READ;
}

/** @param {number} most */
function upTo(most) {
  return 1 + Math.floor(Math.random() * most);
}
