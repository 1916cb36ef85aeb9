type Close = () => Promise<unknown>;

/**
 * What tests have opened. Kept here and closed by a setup file (see close-resources.ts): the modules of a worker are made
 * once, so a hook that one of them registers would run for the first file only.
 */
const open = {
  test: new Set<Close>(),
  file: new Set<Close>(),
  databases: new Set<Close>(),
  roles: new Set<Close>(),
};

/** When they are closed: after the test that opened it, or after the test file, in this order. */
export type Lifetime = keyof typeof open;

/** Closes it when its time has come; whatever has been closed before has to bear it. */
export function closeAfter(lifetime: Lifetime, close: Close): void {
  open[lifetime].add(close);
}

export async function closeAll(lifetime: Lifetime): Promise<void> {
  const closes = [...open[lifetime]];
  open[lifetime].clear();
  await Promise.all(closes.map((close) => close()));
}
