/** The outcome of pairing what is wanted with what is there. */
export interface Matched<Item> {
  readonly same: readonly { readonly wanted: Item; readonly found: Item }[];
  readonly wanted: readonly Item[];
  readonly found: readonly Item[];
}

/**
 * Pairs two lists by what their items mean, and only among equals by name: an object that somebody named differently is
 * still that object. Where several have the meaning, the one with the expected name wins and the rest is left over.
 */
export function matchByMeaning<Item extends { readonly name: string }>(
  wanted: readonly Item[],
  found: readonly Item[],
  meaningOf: (item: Item) => string,
): Matched<Item> {
  const left = new Map<string, Item[]>();
  for (const item of found) left.set(meaningOf(item), [...(left.get(meaningOf(item)) ?? []), item]);
  const partners = new Map<Item, Item>();
  const take = (item: Item, accept: (candidate: Item) => boolean): void => {
    const candidates = left.get(meaningOf(item)) ?? [];
    const partner = candidates.find(accept);
    if (!partner || partners.has(item)) return;
    partners.set(item, partner);
    candidates.splice(candidates.indexOf(partner), 1);
  };
  for (const item of wanted) take(item, ({ name }) => name === item.name);
  for (const item of wanted) take(item, () => true);
  return {
    same: [...partners].map(([item, partner]) => ({ wanted: item, found: partner })),
    wanted: wanted.filter((item) => !partners.has(item)),
    found: [...left.values()].flat(),
  };
}
