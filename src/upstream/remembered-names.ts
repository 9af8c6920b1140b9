// Looks names up as the system does, and remembers the last good answer for a while: a name server that fails for a moment
// must not take every backend away. Nothing is remembered in place of an answer that is to be had.
import dns, { type LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import type { Clock } from '../clock.ts';

const rememberedMs = 60_000;

interface Remembered {
  readonly atMs: number;
  readonly address: string | LookupAddress[];
  readonly family: number | undefined;
}

/** `lookup`: the system's, through its module, because whoever has put another resolver there means it. */
export function rememberingLookup(
  clock: Clock,
  lookup: LookupFunction = (...asked) => dns.lookup(...asked),
): LookupFunction {
  const known = new Map<string, Remembered>();
  return (hostname, options, done) => {
    const key = JSON.stringify([hostname, options.family, options.all, options.hints, options.order]);
    const settle = (error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number) => {
      const nowMs = clock.now();
      for (const [other, { atMs }] of known) if (nowMs - atMs > rememberedMs) known.delete(other);
      const last = known.get(key);
      if (error === null) known.set(key, { atMs: nowMs, address, family });
      else if (last !== undefined) return done(null, last.address, last.family);
      done(error, address, family);
    };
    lookup(hostname, options, settle);
  };
}
