// Why a member does not take a request, in a few words for people. What decides is eligible.ts.
import { adminStateOf, isInRotation } from '../fleet/backend-state.ts';
import { knownUnable, type Reason, type Requirements } from './eligible.ts';
import type { Candidate } from './policy.ts';

export type Needed = Pick<Requirements, 'needs' | 'contextTokens' | 'largerThanTokens'>;

/** `draining`, `circuit open, tried again in 4 s`, `cannot do tools`. */
export function inWords(candidate: Candidate, reason: Reason, needed: Needed, nowMs: number): string {
  const { backend, state, memberState, member } = candidate;
  const { holdOff } = memberState;
  switch (reason) {
    case 'tried':
      return 'has had its try';
    case 'out-of-service':
      if (state.retired) return 'leaving the fleet';
      return isInRotation(backend, state) ? state.health : adminStateOf(backend, state);
    case 'asked-for-time':
    case 'held-off':
      return `${spelled[holdOff?.why ?? 'busy']} for ${secondsUntil(holdOff?.untilMs ?? nowMs, nowMs)}`;
    case 'out':
    case 'ejected':
      return state.health === 'down' ? 'down' : circuitInWords(candidate, nowMs);
    case 'stalled':
      return 'stalled: nothing has come from it of late';
    case 'unprobed':
      return 'not probed yet';
    case 'unable':
      return `cannot do ${needed.needs.filter((need) => knownUnable(candidate, need, nowMs)).join(' and ')}`;
    case 'small':
      return `context of ${member.contextTokens} tokens, ${needed.contextTokens} needed`;
    case 'not-larger':
      return `context of ${member.contextTokens ?? 'unknown'} tokens, more than ${needed.largerThanTokens} needed`;
    case 'good':
      return 'others are better placed';
    default:
      return reason satisfies never;
  }
}

const spelled = {
  busy: 'busy',
  loading: 'loading',
  misconfigured: 'refuses our key; left alone',
  'wrong-model': 'does not know the model; left alone',
} as const;

function circuitInWords({ memberState: { circuit } }: Candidate, nowMs: number): string {
  switch (circuit.state) {
    case 'open':
      return circuit.retryAtMs === undefined
        ? 'circuit open'
        : `circuit open, tried again in ${secondsUntil(circuit.retryAtMs, nowMs)}`;
    case 'half_open':
      return 'circuit half open';
    case 'closed':
      return 'circuit on trial: one request at a time';
    default:
      return circuit.state satisfies never;
  }
}

function secondsUntil(atMs: number, nowMs: number): string {
  return `${Math.max(0, Math.ceil((atMs - nowMs) / 1000))} s`;
}
