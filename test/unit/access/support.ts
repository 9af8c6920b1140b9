// Rules for tests: a test says only which limits there are.
import { type Rules, rulesOf } from '../../../src/access/rules.ts';
import type { Limits } from '../../../src/fleet/fleet.ts';
import { aModel, anAuth } from '../../support/a-fleet.ts';

export interface LimitWishes {
  readonly tenant?: string;
  readonly keyId?: string;
  readonly key?: Limits;
  readonly ofTenant?: Limits;
  /** Of the tenant by model. */
  readonly modelLimits?: Readonly<Record<string, Limits>>;
  /** Of models, whoever asks. */
  readonly models?: Readonly<Record<string, Limits>>;
  readonly maxReservedOutputTokens?: number;
}

export function rulesFor(wishes: LimitWishes): (model: string) => Rules {
  const { tenant = 't', keyId, key, ofTenant, maxReservedOutputTokens = 4096 } = wishes;
  const settings = {
    ...(ofTenant === undefined ? {} : { limits: ofTenant }),
    modelLimits: new Map(Object.entries(wishes.modelLimits ?? {})),
  };
  return rulesOf(
    { tenant, ...(keyId === undefined ? {} : { keyId }), ...(key === undefined ? {} : { keyLimits: key }) },
    anAuth({ tenants: new Map([[tenant, settings]]), maxReservedOutputTokens }),
    new Map(Object.entries(wishes.models ?? {}).map(([name, limits]) => [name, aModel({ limits })])),
  );
}

/** Of one tenant, on any model. */
export function ofTenant(limits: Limits): Rules {
  return rulesFor({ ofTenant: limits })('m');
}

export const tokens = (inputTokens: number, outputTokens = 0) => ({ inputTokens, outputTokens });
