// The fleet and everything derived from it, published as one reference: what a request is resolved against.
import { type Caller, type Keyring, mayUse } from '../access/keyring.ts';
import type { Estimate } from '../access/limiter.ts';
import { boundOf } from '../admission/bound.ts';
import { engines } from '../engines/index.ts';
import { GatewayError } from '../errors.ts';
import type { Capability } from '../fleet/capabilities.ts';
import { type Catalogue, buildCatalogue, type Model } from '../fleet/catalogue.ts';
import type { FallbackCause, Fleet, QueueSettings } from '../fleet/fleet.ts';
import type { Roster } from '../fleet/roster.ts';
import type { TokenEstimates } from '../fleet/token-estimates.ts';
import { knownUnable } from '../selection/eligible.ts';
import { PanicWatch } from '../selection/panic.ts';
import type { Candidate, Policy, PolicyMaker, PolicyParts } from '../selection/policy.ts';
import type { InferenceRequest } from './exchange.ts';

/** Everything a request for one model needs; built once per snapshot. */
export interface Target {
  readonly model: Model;
  readonly candidates: readonly Candidate[];
  readonly policy: Policy;
  /** Most milliseconds an exchange may take, all attempts included. */
  readonly totalMs: number;
  readonly queue: QueueSettings;
  /** See selection/panic. */
  readonly panicRatio: number;
  readonly panic: PanicWatch;
  /** Whether another backend may go on with a stream that breaks. */
  readonly continuation: boolean;
  /** Those that take its requests when its own members can't, best first. */
  readonly fallbacks: (cause: FallbackCause) => readonly Target[];
}

export interface Snapshot {
  readonly keyring: Keyring;
  readonly catalogue: Catalogue;
  readonly targets: ReadonlyMap<string, Target>;
  /** Backends that have not been asked for their models yet, and groups of which nobody knows who is in them: until then an unknown name may still become known. */
  readonly pending: number;
}

export interface Snapshots {
  current(): Snapshot;
  publish(snapshot: Snapshot): void;
  /** What there is is another one: made when somebody asks for it, and once for however many changes came before. */
  renew(make: () => Snapshot): void;
}

export function createSnapshots(first: Snapshot): Snapshots {
  let latest = first;
  let make: (() => Snapshot) | undefined;
  return {
    current() {
      if (make !== undefined) latest = make();
      make = undefined;
      return latest;
    },
    publish(snapshot) {
      latest = snapshot;
      make = undefined;
    },
    renew(made) {
      make = made;
    },
  };
}

export interface SnapshotParts {
  readonly roster: Roster;
  /** Of the same fleet. */
  readonly keyring: Keyring;
  readonly makePolicy: PolicyMaker;
  readonly policyParts: PolicyParts;
  /** Groups of backends of which nobody knows yet who is in them; left out: none. */
  readonly unheard?: () => number;
}

export function buildSnapshot(fleet: Fleet, parts: SnapshotParts): Snapshot {
  const { roster, keyring, makePolicy, policyParts, unheard = () => 0 } = parts;
  const catalogue = buildCatalogue(fleet, (backend) => {
    const { engine, discovered } = roster.of(backend);
    return { engine, models: discovered };
  });
  const targets = new Map<string, Target>();
  for (const model of catalogue.models.values()) {
    const settings = fleet.models.get(model.name);
    const candidates = model.members.map((member): Candidate => {
      const { backend } = member;
      const state = roster.of(backend);
      const bound = boundOf(backend, state);
      return {
        model: model.name,
        backend,
        member,
        engine: engines[member.engine],
        state,
        memberState: roster.member(backend, model.name),
        get maxInFlight() {
          return backend.maxInFlight === 'auto' ? state.limit.value : bound;
        },
        slowStartMs: fleet.routing.slowStartMs,
        timeouts: { ...backend.timeouts, ...settings?.timeouts },
      };
    });
    // Where nobody has it, it is others that may answer.
    const asked = model.members.length > 0 ? model.members.map(({ backend }) => backend) : fleet.backends;
    const totals = asked.map(({ timeouts }) => timeouts.totalMs);
    const totalMs = settings?.timeouts?.totalMs ?? Math.max(0, ...totals);
    targets.set(model.name, {
      model,
      candidates,
      policy: makePolicy(policyParts),
      totalMs,
      queue: { ...fleet.routing.queue, ...settings?.queue },
      panicRatio: fleet.routing.panicRatio,
      panic: new PanicWatch(),
      continuation: settings?.continuation === true,
      // A fallback's own fallbacks do not count, so there are no circles.
      fallbacks: (cause) =>
        (settings?.fallback?.[cause] ?? []).flatMap((name) => targets.get(catalogue.aliases.get(name) ?? name) ?? []),
    });
  }
  const pending = fleet.backends.filter((backend) => backend.state !== 'disabled' && !roster.of(backend).probedOnce);
  return { keyring, catalogue, targets, pending: pending.length + unheard() };
}

/** Who asks for what, and when. */
export interface Ask {
  readonly request: InferenceRequest;
  readonly caller: Caller;
  readonly nowMs: number;
}

/**
 * The canonical name behind any name a caller may use.
 * @throws GatewayError `forbidden` for what this key may not use, whether or not it exists; `model_not_found`
 */
export function canonicalName({ catalogue }: Snapshot, asked: string, caller: Caller): string {
  const name = catalogue.aliases.get(asked) ?? asked;
  if (name.length > maxNameLength) throw new GatewayError('model_not_found', 'No model has a name this long.');
  if (!mayUse(caller, name)) throw new GatewayError('forbidden', `This API key may not use the model "${name}".`);
  return name;
}

/** Longer than any model name, and short enough for globs to be cheap on. */
const maxNameLength = 512;

/**
 * The target a request means, by canonical name.
 * @throws GatewayError `forbidden` before existence is told, `model_not_found`, `no_backend` while the fleet is still
 * being discovered, `unsupported` when every member is known not to be able to do what is needed.
 */
export function resolve(snapshot: Snapshot, { request, caller, nowMs }: Ask): Target {
  const name = canonicalName(snapshot, request.model, caller);
  const target = snapshot.targets.get(name);
  if (target === undefined) throw unknownModel(name, snapshot.pending);
  const lacks = (candidate: Candidate) => request.needs.filter((need) => knownUnable(candidate, need, nowMs));
  if (target.candidates.length > 0 && target.candidates.every((candidate) => lacks(candidate).length > 0)) {
    throw unsupported(target, new Set(target.candidates.flatMap(lacks)));
  }
  return target;
}

function unknownModel(name: string, pending: number): GatewayError {
  if (pending > 0) {
    const message = `The model "${name}" is not known yet: backends are still being looked for or asked for their models.`;
    return new GatewayError('no_backend', message, { retryAfterSeconds: 1 });
  }
  return new GatewayError(
    'model_not_found',
    `No backend serves a model named "${name}". GET /v1/models lists what there is.`,
  );
}

function unsupported({ model, candidates }: Target, needs: ReadonlySet<Capability>): GatewayError {
  const kinds = [...new Set(candidates.map((candidate) => candidate.engine.name))].join(', ');
  const what = [...needs].join(' and ');
  return new GatewayError('unsupported', `No backend of the model "${model.name}" (${kinds}) supports ${what}.`);
}

export interface Expectation {
  readonly cost: Estimate;
  /** What one prompt of it will take of a member's context. */
  readonly contextTokens: number;
  /** What its answers usually come to, all together. */
  readonly answerTokens: number;
}

/** What a request will cost, as far as can be told beforehand. */
export function estimate(request: InferenceRequest, estimates: TokenEstimates, tenant: string): Expectation {
  const { textBytes, totalTextBytes, parts, maxTokens, answers } = request;
  const inputOf = (bytes: number) => estimates.inputOf(bytes) + parts * tokensPerPart;
  const isEmbedding = request.endpoint === 'embeddings';
  return {
    cost: {
      inputTokens: inputOf(totalTextBytes),
      outputTokens: isEmbedding ? 0 : (maxTokens ?? estimates.output()),
      answers,
    },
    contextTokens: inputOf(textBytes) + (maxTokens ?? 0),
    answerTokens: isEmbedding ? 0 : answers * Math.min(maxTokens ?? Infinity, estimates.answerTo(tenant)),
  };
}

const tokensPerPart = 800;
