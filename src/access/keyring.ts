// From a credential to the caller behind it. Keys are kept as SHA-256 digests only; they are long and random, so no
// slow hash is needed. Pure: what is expired is decided by the time handed in.
import { hash, timingSafeEqual } from 'node:crypto';
import type { ApiKey, Fleet, Priority } from '../fleet/fleet.ts';
import { type Rules, rulesOf } from './rules.ts';

export interface Caller {
  /** The name in metrics and logs. */
  readonly tenant: string;
  /** Globs of canonical model names; undefined means all. */
  readonly models: readonly string[] | undefined;
  /** In the waiting room. */
  readonly priority: Priority;
  readonly weight: number;
  /** The limits on a known model, by canonical name. */
  rules(model: string): Rules;
}

export interface Keyring {
  /** The caller of a credential; undefined when it is missing, unknown or expired. */
  find(credential: string | undefined, unixMs: number): Caller | undefined;
}

export function createKeyring({ auth, models }: Pick<Fleet, 'auth' | 'models'>): Keyring {
  if (auth.mode === 'none') {
    const tenant = 'anonymous';
    const anonymous: Caller = { tenant, ...usual, models: undefined, rules: rulesOf({ tenant }, auth, models) };
    return { find: () => anonymous };
  }
  const ofTenants = new Map<string, Caller['rules']>();
  // Keys without limits of their own share what is kept for each model.
  const rulesFor = ({ sha256, tenant, limits }: ApiKey): Caller['rules'] => {
    if (limits !== undefined) return rulesOf({ tenant, keyId: keyIdOf(sha256), keyLimits: limits }, auth, models);
    const rules = ofTenants.get(tenant) ?? rulesOf({ tenant }, auth, models);
    ofTenants.set(tenant, rules);
    return rules;
  };
  const entryOf = (key: ApiKey) => {
    const { sha256, tenant, models: allowed, expiresAtMs, priority = usual.priority, weight = usual.weight } = key;
    const caller: Caller = { tenant, priority, weight, models: allowed, rules: rulesFor(key) };
    return { digest: Buffer.from(sha256, 'hex'), expiresAtMs, caller };
  };
  const entries = new Map(
    auth.keys.map((key) => {
      const entry = entryOf(key);
      return [entry.digest.toString('latin1'), entry];
    }),
  );
  return {
    find(credential, unixMs) {
      if (credential === undefined) return undefined;
      const digest = hash('sha256', credential, 'buffer');
      const entry = entries.get(digest.toString('latin1'));
      // The look-up is by digest, so its time tells nothing about a key; the comparison keeps that so.
      if (entry === undefined || !timingSafeEqual(entry.digest, digest)) return undefined;
      return entry.expiresAtMs !== undefined && entry.expiresAtMs <= unixMs ? undefined : entry.caller;
    },
  };
}

const usual = { priority: 'normal', weight: 1 } as const;

/** A part of the digest names a key in counters: enough to tell keys apart, and no way back. */
export function keyIdOf(sha256: string): string {
  return sha256.slice(0, 16);
}

/**
 * `*` stands for any run of characters, also `/`; everything else for itself. Linear but for the product of the two
 * lengths at worst, because the name comes from a caller and a regular expression would try every split.
 */
export function matchesGlob(glob: string, name: string): boolean {
  let at = 0;
  let star = -1;
  let resume = 0;
  for (let n = 0; n < name.length; ) {
    if (glob[at] === '*') {
      star = at++;
      resume = n;
    } else if (at < glob.length && glob[at] === name[n]) {
      at++;
      n++;
    } else if (star !== -1) {
      at = star + 1;
      n = ++resume;
    } else {
      return false;
    }
  }
  while (glob[at] === '*') at++;
  return at === glob.length;
}

export function mayUse(caller: Caller, model: string): boolean {
  return caller.models === undefined || caller.models.some((glob) => matchesGlob(glob, model));
}
