// All policies that are compared, by name. `+sync` is the same rule with our telling of counts and placements.
import { leastConnections } from '../../src/selection/policies/least-connections.ts';
import { leastCost } from '../../src/selection/policies/least-cost.ts';
import { roundRobin } from '../../src/selection/policies/round-robin.ts';
import { session } from '../../src/selection/policies/session.ts';
import { twoChoices } from '../../src/selection/policies/two-choices.ts';
import { aibrixPrefixCache } from './peers/aibrix-prefix-cache.ts';
import { boundedPrefixHash } from './peers/bounded-prefix-hash.ts';
import { dynamo } from './peers/dynamo.ts';
import { llmDSticky } from './peers/llm-d-sticky.ts';
import { llmDDepthTokens, llmDWeighted } from './peers/llm-d-weighted.ts';
import { lmetric } from './peers/lmetric.ts';
import { anyone } from './peers/random.ts';
import { sessionHash } from './peers/session-hash.ts';
import { sglangCacheAware } from './peers/sglang-cache-aware.ts';
import { LeastCostRouter, type LeastCostSettings } from './routers/least-cost.ts';
import { PeerRouter, type RuleMaker } from './routers/peer-router.ts';
import { production } from './routers/production.ts';
import type { SimulatedPolicy } from './routers/router.ts';

interface Peer {
  readonly source: string;
  readonly rule: RuleMaker;
  /** Blind to history and load: telling others changes nothing. */
  readonly blind?: boolean;
  /** Not as shipped: a setting that suits it better. */
  readonly tuned?: boolean;
}

const peers = {
  random: { source: '–', rule: anyone, blind: true },
  'round-robin': { source: 'src/selection', rule: production(roundRobin, { weighted: true }), blind: true },
  'least-connections': { source: 'src/selection', rule: production(leastConnections, { weighted: false }) },
  'least-connections-weighted': { source: 'src/selection', rule: production(leastConnections, { weighted: true }) },
  'two-choices': { source: 'src/selection', rule: production(twoChoices, { weighted: true }) },
  session: { source: 'src/selection', rule: production(session, { weighted: true }) },
  'session-hash': { source: 'vLLM production-stack, SMG', rule: sessionHash, blind: true },
  'bounded-prefix-hash': { source: 'KubeAI', rule: boundedPrefixHash },
  'sglang-tree': { source: 'SMG', rule: sglangCacheAware({ threshold: 0.5, absolute: 32, relative: 1.1 }) },
  'sglang-tree-8': {
    source: 'SMG',
    rule: sglangCacheAware({ threshold: 0.5, absolute: 8, relative: 1.1 }),
    tuned: true,
  },
  'aibrix-prefix': { source: 'AIBrix', rule: aibrixPrefixCache({ imbalance: 8, sigmas: 1 }) },
  'llm-d-322': { source: 'llm-d', rule: llmDWeighted({ depthTokens: llmDDepthTokens }) },
  'llm-d-322-deep': { source: 'llm-d', rule: llmDWeighted({}), tuned: true },
  'llm-d-sticky': { source: 'llm-d', rule: llmDSticky({ match: 0.8, penaltyS: 18, depthTokens: llmDDepthTokens }) },
  'llm-d-sticky-deep': { source: 'llm-d', rule: llmDSticky({ match: 0.8, penaltyS: 18 }), tuned: true },
  'llm-d-sticky-2s': { source: 'llm-d', rule: llmDSticky({ match: 0.8, penaltyS: 2 }), tuned: true },
  dynamo: { source: 'NVIDIA Dynamo', rule: dynamo({ weight: 1, events: false }) },
  'dynamo-events': { source: 'NVIDIA Dynamo', rule: dynamo({ weight: 1, events: true }) },
  lmetric: { source: 'arXiv 2603.15202', rule: lmetric },
} satisfies Record<string, Peer>;

export type PeerName = keyof typeof peers;

const peerPolicies: readonly SimulatedPolicy[] = Object.entries<Peer>(peers).flatMap(
  ([name, { source, rule, blind }]) => {
    const policy = (sync: boolean): SimulatedPolicy => ({
      name: sync ? `${name}+sync` : name,
      source,
      sync,
      router: (parts) => new PeerRouter(parts, rule),
    });
    return blind === true ? [policy(false)] : [policy(false), policy(true)];
  },
);

const ours = {
  'least-cost': {},
  'least-cost-alone': { alone: true },
  'least-cost-no-prefix': { prefix: false },
  'least-cost-exact': { exact: true },
  'least-cost-half': { constants: 0.5 },
  'least-cost-double': { constants: 2 },
} satisfies Record<string, LeastCostSettings>;

const ourPolicies: readonly SimulatedPolicy[] = Object.entries<LeastCostSettings>(ours).map(([name, settings]) => ({
  name,
  source: 'src/selection',
  sync: settings.alone !== true,
  router: (parts) => new LeastCostRouter(parts, leastCost, settings),
}));

export const policies: ReadonlyMap<string, SimulatedPolicy> = new Map(
  [...peerPolicies, ...ourPolicies].map((policy) => [policy.name, policy]),
);

export const quickPolicies = [
  'least-connections',
  'two-choices',
  'session-hash',
  'sglang-tree',
  'llm-d-sticky',
  'lmetric',
  'lmetric+sync',
  'least-cost',
  'least-cost-alone',
];

/** Ours first; with several routers also what the best rules make of our synchronisation. */
export function plottedPolicies(routers: number): readonly SimulatedPolicy[] {
  const one = [
    'least-cost',
    'least-connections',
    'session-hash',
    'sglang-tree',
    'aibrix-prefix',
    'llm-d-sticky',
    'dynamo',
    'lmetric',
  ];
  const names =
    routers === 1 ? one : [...one, 'dynamo-events', 'lmetric+sync', 'llm-d-sticky+sync', 'least-cost-alone'];
  return names.map(policyNamed);
}

export function policyNamed(name: string): SimulatedPolicy {
  const policy = policies.get(name);
  if (policy === undefined) throw new Error(`no policy ${name}`);
  return policy;
}

const ofOthers = peerPolicies.filter(({ name }) => !name.startsWith('session+') && name !== 'session');
/** What people run today: published rules at their defaults. */
export const asShipped: readonly SimulatedPolicy[] = ofOthers.filter(({ name, sync }) => !sync && !isTuned(name));
export const asShippedWithHistory: readonly SimulatedPolicy[] = asShipped.filter(({ name }) =>
  ['sglang-tree', 'aibrix-prefix', 'llm-d-322', 'llm-d-sticky', 'dynamo', 'lmetric'].includes(name),
);
/** The same rules, and settings that suit them better, with our synchronisation. */
export const withOurSync: readonly SimulatedPolicy[] = ofOthers.filter(({ sync }) => sync);

function isTuned(name: string): boolean {
  const bare = name.replace(/\+sync$/, '');
  return Object.entries<Peer>(peers).some(([known, { tuned: isOne }]) => known === bare && isOne === true);
}
