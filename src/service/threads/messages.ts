// What the main thread and its workers say to each other. Backends go by identity (fleet/changes), circuits by a number that is
// never given out twice; all times are the main thread's.
import type { BackendState } from '../../fleet/backend-state.ts';
import type { Capability } from '../../fleet/capabilities.ts';
import type { Address, Fleet } from '../../fleet/fleet.ts';
import type { ReportedMetrics } from '../../metrics/merge.ts';
import type { StateChange } from '../../redis/shared-state.ts';
import type { SharedMemory } from '../../workers/memory.ts';
import type { CircuitNews } from '../../workers/remote-circuit.ts';
import type { LimitNews } from '../../workers/shared-backends.ts';
import type { RequestNotes } from '../report/request-notes.ts';
import type { DrainTimes } from '../serving.ts';

/** What a worker is started with. */
export interface ThreadStart {
  readonly worker: number;
  readonly memory: SharedMemory;
  /** `performance.timeOrigin` of the main thread. */
  readonly originMs: number;
  readonly version: string;
  readonly routerId: string;
  readonly isTerminal: boolean;
  /** Where to listen; port 0 for the first worker, where any will do. */
  readonly listen: Address;
  readonly headTimeoutMs: number;
  readonly bodyTimeoutMs: number;
  /** Of all threads of this router. */
  readonly limits: { readonly memory: SharedArrayBuffer; readonly replica: string };
  /** The fleet as it was at the start of the router: what needs a restart is as there. */
  readonly first: Fleet;
  readonly now: FleetNews & { readonly fleet: Fleet };
  readonly members: readonly MemberNews[];
  /** The name it writes its letters under, and whether other routers are there and can't be heard. */
  readonly letters: { readonly id: string; readonly cutOff: boolean };
}

/** What has changed; absent parts are as they were. The first has them all. */
export interface FleetNews {
  /** Counts up. */
  readonly version: number;
  readonly fleet?: Fleet;
  readonly states: readonly StateNews[];
  readonly circuits: readonly CircuitPlace[];
  /** Numbers of models that are new. */
  readonly models: ReadonlyMap<string, number>;
  /** Where the backends are that the router itself has started. */
  readonly urls?: ReadonlyMap<string, string>;
  readonly unheard: number;
  readonly discovered: boolean;
  /** Something may be usable that was not. */
  readonly wake: boolean;
}

export interface StateNews
  extends Pick<
    BackendState,
    'index' | 'health' | 'engine' | 'discovered' | 'probedOnce' | 'draining' | 'retired' | 'probeAtMs' | 'backSinceMs'
  > {
  readonly backend: string;
}

export interface CircuitPlace {
  readonly id: number;
  readonly place: number;
  readonly backend: string;
  readonly model: string;
}

/** What is known of a member, by its circuit; until when it is left alone stands in shared memory. */
export interface MemberNews {
  readonly circuit: number;
  /** A failure, or the end of what there was of them. */
  readonly failure?: { readonly atMs: number } | 'none';
  readonly unable: readonly (readonly [Capability, number])[];
  readonly proven: readonly Capability[];
  readonly backSinceMs: number | undefined;
}

export type ToWorker =
  | { readonly kind: 'fleet'; readonly news: FleetNews }
  | { readonly kind: 'member'; readonly news: MemberNews }
  | { readonly kind: 'turn' }
  /** From the placement of another worker, or of another router. */
  | { readonly kind: 'letter'; readonly letter: Uint8Array }
  | { readonly kind: 'cut-off'; readonly cutOff: boolean }
  /** Something has come from a backend that was silent for another worker. */
  | { readonly kind: 'heard'; readonly backend: number; readonly atMs: number }
  /** What runs there is ended. */
  | { readonly kind: 'cut'; readonly backend: string }
  /** Nothing runs there any more, and it is to be forgotten; `name`: where no other has it. */
  | { readonly kind: 'left'; readonly backend: string; readonly name: string | undefined }
  | { readonly kind: 'report'; readonly question: number }
  | { readonly kind: 'rendered'; readonly question: number; readonly contentType: string; readonly text: string }
  | { readonly kind: 'drain'; readonly how: DrainTimes };

export type FromWorker =
  | { readonly kind: 'listening'; readonly address: Address }
  | { readonly kind: 'failed'; readonly code: string | undefined; readonly message: string }
  | { readonly kind: 'applied'; readonly version: number }
  | { readonly kind: 'batch'; readonly batch: Batch }
  | { readonly kind: 'member'; readonly news: MemberNews }
  | { readonly kind: 'turn'; readonly worker: number }
  | { readonly kind: 'letter'; readonly letter: Uint8Array }
  | { readonly kind: 'stalled'; readonly backend: number }
  | { readonly kind: 'heard'; readonly backend: number; readonly atMs: number }
  | { readonly kind: 'refresh'; readonly name: string }
  | { readonly kind: 'freed' }
  | { readonly kind: 'report'; readonly question: number | undefined; readonly metrics: ReportedMetrics }
  | { readonly kind: 'shared-state'; readonly change: StateChange }
  | { readonly kind: 'render'; readonly question: number };

/** What can wait for a moment, in the order in which it happened. */
export interface Batch {
  readonly circuits: readonly CircuitNews[];
  readonly limits: readonly LimitNews[];
  readonly notes: RequestNotes | undefined;
}
