import { inject } from 'vitest';
import manifest from 'typeorm/package.json' with { type: 'json' };

/** The first major versions that can do something: 0 stands for TypeORM 0.3. */
export interface Since {
  readonly postgres?: number;
  readonly typeorm?: number;
}

export const POSTGRES_MAJOR = inject('postgresMajor');
export const TYPEORM_MAJOR = Number.parseInt(manifest.version, 10);

/** Whether what runs here can do it; where not, the case is skipped and counted as such. */
export function isPossible({ postgres = 0, typeorm = 0 }: Since = {}): boolean {
  return POSTGRES_MAJOR >= postgres && TYPEORM_MAJOR >= typeorm;
}
