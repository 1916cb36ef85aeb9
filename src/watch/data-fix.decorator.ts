import { applyDecorators, Injectable, SetMetadata } from '@nestjs/common';
import type { DataFixOptions, DataFixTask } from '../heal/data-fix.js';

export const DATA_FIX = 'nestjs-auto-migration:data-fix';

/**
 * Makes a provider a data fix: its `run` changes rows once per database, after the schema has been healed. It can inject
 * whatever the application provides, and is listed among the providers of any module.
 *
 * @example
 * ```ts
 * @DataFix({ id: '2026-11-25-split-names' })
 * export class SplitNames {
 *   run(manager: EntityManager) {
 *     return manager.query(`update staff set first_name = split_part(username, '.', 1) where first_name is null`);
 *   }
 * }
 * ```
 */
export function DataFix(
  options: DataFixOptions,
): (target: new (...dependencies: never[]) => DataFixTask) => void {
  return applyDecorators(Injectable(), SetMetadata(DATA_FIX, options));
}
