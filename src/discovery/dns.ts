// Backends by name: SRV records where the name begins with an underscore, else every address it has. Asks a name server, not the
// system, so that what it says about names that are not there is told apart from its own failures.
import { Resolver } from 'node:dns/promises';
import type { Found, Source } from '../fleet/discovery.ts';
import { codeOf, jittered, type Looking, pause, type SourceParts, type Teller } from './source.ts';

export type Names = Pick<Resolver, 'resolve4' | 'resolve6' | 'resolveSrv' | 'cancel'>;

export interface DnsParts extends SourceParts {
  readonly everyMs: number;
  /** Those of the system, unless said. */
  readonly names?: Names;
}

type DnsSource = Extract<Source, { kind: 'dns' }>;

/** A name that has nothing of the kind, which is an answer. */
const none = new Set(['ENODATA', 'ENOTFOUND']);

export function lookByName(source: DnsSource, parts: DnsParts, teller: Teller): Looking {
  const { clock, random, everyMs, names = new Resolver({ timeout: 2_000, tries: 2 }) } = parts;
  const ended = new AbortController();
  const ask = source.name.startsWith('_') ? servers(source, names) : addresses(source, names);
  const running = (async () => {
    while (!ended.signal.aborted) {
      try {
        const found = await ask();
        if (!ended.signal.aborted) teller.answered(found);
      } catch (thrown) {
        if (!ended.signal.aborted) teller.failed(codeOf(thrown));
      }
      await pause(clock, jittered(everyMs, random), ended.signal);
    }
  })();
  return {
    async stop() {
      ended.abort();
      names.cancel();
      await running;
    },
  };
}

/** RFC 2782: only the servers of the lowest priority, each for its share. Their names are kept, so that certificates fit them. */
function servers({ name }: DnsSource, names: Names) {
  return async (): Promise<readonly Found[]> => {
    const all = await orNone(names.resolveSrv(name));
    const lowest = Math.min(...all.map(({ priority }) => priority));
    // A single dot means: there is decidedly none.
    const best = all.filter((record) => record.priority === lowest && record.name !== '' && record.name !== '.');
    const total = best.reduce((sum, { weight }) => sum + weight, 0);
    const found = best.map(({ name: target, port, weight }) => {
      const host = target.replace(/\.$/, '').toLowerCase();
      // Around 1, whatever they add up to: some servers tell per cent, others small numbers, and there are backends beside them.
      const share = total === 0 ? 1 : Math.max(weight, total / 1_000) / (total / best.length);
      return { name: `${host}:${port}`, host, port, share, isLeaving: false };
    });
    return sorted(found);
  };
}

/** A kind of address for which the server fails is what it was, while the other kind is there: half of a fleet must not go with one timeout. */
function addresses({ name, port = 80 }: DnsSource, names: Names) {
  const last = new Map<4 | 6, readonly string[]>();
  return async (): Promise<readonly Found[]> => {
    const looks = await Promise.allSettled([orNone(names.resolve4(name)), orNone(names.resolve6(name))]);
    for (const [index, look] of looks.entries())
      if (look.status === 'fulfilled') last.set(index === 0 ? 4 : 6, look.value);
    const isAnyThere = looks.some((look) => look.status === 'fulfilled' && look.value.length > 0);
    const failed = looks.find((look) => look.status === 'rejected');
    if (failed !== undefined && !isAnyThere) throw failed.reason;
    const hosts = [...(last.get(4) ?? []), ...(last.get(6) ?? [])];
    return sorted(hosts.map((host) => ({ name: `${host}:${port}`, host, port, share: 1, isLeaving: false })));
  };
}

async function orNone<Answer>(asked: Promise<Answer[]>): Promise<Answer[]> {
  try {
    return await asked;
  } catch (thrown) {
    if (none.has(codeOf(thrown))) return [];
    throw thrown;
  }
}

/** Name servers turn their answers round each time. */
function sorted(found: readonly Found[]): readonly Found[] {
  return found.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}
