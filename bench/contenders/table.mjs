import { firstBoot, initialization, secondBoot } from './boots.mjs';
import { catalogQueries, catalogQueriesByNewSession, fingerprint } from './catalog.mjs';
import { fullCheck, steadyCheck } from './checks.mjs';
import { drizzleKit } from './drizzle-kit.mjs';
import { mikroOrm } from './mikro-orm.mjs';
import { typeorm } from './typeorm.mjs';

/** @import { Contender } from '../contender.d.mts' */

/** @type {readonly Contender[]} */
export const CHECKS = [fingerprint, steadyCheck, catalogQueries, catalogQueriesByNewSession, fullCheck];

/** @type {readonly Contender[]} */
export const BOOTS = [initialization, secondBoot, firstBoot];

/** @type {readonly Contender[]} */
export const PEERS = [mikroOrm, typeorm, drizzleKit];

/** Those that are not among the repository's own dependencies. */
export const INSTALLED = new Set([mikroOrm, drizzleKit]);
