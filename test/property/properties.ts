import fc, { type Arbitrary, type IAsyncProperty, type Parameters, type RunDetails } from 'fast-check';
import type { Execution } from '../../src/plan/proposal.js';
import type { TestDatabase } from '../setup/database.js';
import * as draw from './arbitraries.js';
import { changed, changes } from './changes.js';
import { describeDesign } from './describe.js';
import type { Design } from './design.js';
import { healConverges, healEqualsSynchronize, type Evolution } from './laws.js';
import { insertsOf } from './rows.js';

const execution = fc.constantFrom<Execution[]>('online', 'atomic');

interface Told {
  readonly [fc.toStringMethod]: () => string;
}

interface Creation extends Told {
  readonly design: Design;
  readonly execution: Execution;
}

const creation: Arbitrary<Creation> = fc.record({ design: draw.design, execution }).map((drawn) => ({
  ...drawn,
  [fc.toStringMethod]: () => `${drawn.execution}\n${describeDesign(drawn.design)}`,
}));

const evolution: Arbitrary<Evolution & Told> = fc
  .record({ before: draw.design, changes, rows: draw.rows, execution })
  .map(({ before, changes: steps, rows, ...rest }) => {
    const after = changed(before, steps);
    const inserts = insertsOf(rows, before);
    const told = [
      rest.execution,
      '--- before',
      describeDesign(before),
      ...inserts,
      '--- after',
      ...steps.map(({ what }) => what),
      describeDesign(after),
    ];
    return { ...rest, before, after, inserts, [fc.toStringMethod]: () => told.join('\n') };
  });

/** What holds for every design and every change of it, against one database that each run empties. */
export const PROPERTIES: Readonly<Record<string, (database: TestDatabase) => IAsyncProperty<[Told]>>> = {
  'heal makes of nothing what synchronize makes': (database) =>
    fc.asyncProperty(creation, (drawn) =>
      healEqualsSynchronize(database, drawn.design, drawn.execution),
    ) as IAsyncProperty<[Told]>,
  'heal brings one design to another': (database) =>
    fc.asyncProperty(evolution, (drawn) => healConverges(database, drawn)) as IAsyncProperty<[Told]>,
};

/**
 * Checks a property.
 *
 * @returns how many runs there were
 * @throws with the smallest counter-example found, and the seed and path that bring it back
 */
export async function checkProperty(
  title: string,
  property: IAsyncProperty<[Told]>,
  parameters: Parameters<[Told]>,
): Promise<number> {
  const details = await fc.check(property, parameters);
  if (details.failed) throw new Error(report(title, details), { cause: details.errorInstance });
  return details.numRuns;
}

function report(title: string, details: RunDetails<[Told]>): string {
  const { counterexample, errorInstance, seed, counterexamplePath, numRuns } = details;
  const why = errorInstance instanceof Error ? errorInstance.message : String(errorInstance);
  const [told] = counterexample ?? [];
  return [
    `After ${numRuns} runs. To bring it back:
PROPERTY_SEED=${seed} PROPERTY_PATH=${counterexamplePath ?? ''} npx vitest run test/property -t '${title}'`,
    why,
    told?.[fc.toStringMethod]() ?? '',
  ].join('\n\n');
}
