// A fleet file with entries whose backends are found at run time, next to a router that has found some: `plan` looks nobody up,
// and takes for granted that an entry of the same name goes on to find the same.
import { hostAndPort } from '../fleet/address-of-url.ts';
import { type Found, type Group, keyOf, withFound } from '../fleet/discovery.ts';
import type { Standing } from '../fleet/effects.ts';
import type { Fleet } from '../fleet/fleet.ts';

export function withFoundBefore(next: Fleet, before: Standing): Fleet {
  return withFound(next, new Map(next.groups.map((group) => [keyOf(group), foundBefore(group, before)])));
}

/** Entries that found nobody, so that nothing is known of what they would bring. */
export function unfound({ groups }: Fleet, before: Standing): readonly string[] {
  const used = groups.filter(({ template }) => template.state !== 'disabled');
  return used.filter((group) => foundBefore(group, before).length === 0).map(({ name }) => name);
}

function foundBefore({ name, template }: Group, { backends }: Standing): readonly Found[] {
  if (template.state === 'disabled') return [];
  const prefix = `${name}/`;
  const own = backends.flatMap(({ url, ...backend }) =>
    backend.name.startsWith(prefix) && url !== null && URL.canParse(url) ? [{ ...backend, at: hostAndPort(url) }] : [],
  );
  // What each has is the weight of the entry times its own share; where all have the same, there are no shares.
  const isShared = new Set(own.map(({ weight }) => weight)).size > 1;
  return own.map(({ name: full, weight, state, at }) => ({
    ...at,
    name: full.slice(prefix.length),
    share: isShared ? weight / template.weight : 1,
    isLeaving: state === 'draining',
  }));
}
