// A router as the simulation sees it: it places requests, hears how they fare, and may tell its peers.
import type { Profile } from '../replica/profiles.ts';
import type { VirtualTime } from '../virtual-time.ts';
import type { Trace, TraceRequest } from '../trace/trace.ts';

/** Where one attempt went. Its ends are told in order; `ended` exactly once, whatever happened. */
export interface Placement {
  readonly backend: number;
  firstToken(): void;
  /** Another 64 tokens have come. */
  grew(): void;
  ended(how: Ending): void;
}

export interface Ending {
  readonly ok: boolean;
  /** As the backend's usage tells. */
  readonly cachedTokens: number;
  readonly generated: number;
}

/** What a router has to say, to be handed to one peer; it is fixed when it is made. */
export type News = (peer: Router) => void;

export interface Router {
  /** `able`: backends that may take it, ascending, at least one. */
  place(request: TraceRequest, able: readonly number[]): Placement;
  /** What has changed since it was last asked; undefined: nothing. */
  news?(): News | undefined;
  /** Nothing has been heard from that peer for too long. */
  forget?(peer: number): void;
  /** What a backend tells about itself, as of a moment ago. */
  scraped?(backend: number, reading: Reading): void;
  restarted?(backend: number): void;
}

export interface Reading {
  readonly running: number;
  readonly waiting: number;
  /** 0 to 1. */
  readonly kvUse: number;
}

export interface RouterParts {
  readonly id: number;
  readonly routers: number;
  /** Of each backend, as configured: relative capacity. */
  readonly weights: readonly number[];
  /** Prompt tokens a second that a backend of weight 1 computes; known to rules that are configured with it. */
  readonly prefillPerS: number;
  readonly kvTokens: number;
  readonly profile: Profile;
  readonly trace: Trace;
  readonly time: VirtualTime;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Whether requests carry their conversation in a header. */
  readonly sessionHeaders: boolean;
  /** What a backend has cached of a request: known to rules that follow the engines' cache events. */
  readonly cachedOn: (backend: number, request: TraceRequest) => number;
}

export interface SimulatedPolicy {
  readonly name: string;
  /** Where its rule is published. */
  readonly source: string;
  /** Whether its routers tell each other. */
  readonly sync: boolean;
  readonly router: (parts: RouterParts) => Router;
}
