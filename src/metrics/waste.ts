// The waste ledger: output tokens that were generated for nobody, and why. What a backend told of them counts, else the
// events with content. A plain answer that was given up tells neither, and prompts are not in it.
import type { AttemptEnded, ExchangeSettled } from '../routing/ports.ts';
import type { Instruments } from './instruments.ts';
import type { ModelNames } from './model-names.ts';

/** caller_left: nobody waited for it any more · retry_replay: thrown away before anything left · broken_stream: it had no end */
export type WasteReason = 'caller_left' | 'retry_replay' | 'broken_stream';

export interface Waste {
  readonly backend: string;
  readonly model: string;
  readonly reason: WasteReason;
  readonly tokens: number;
}

export function wasteOfAttempt({ backend, model, lostTokens }: AttemptEnded): Waste {
  return { backend, model, reason: 'retry_replay', tokens: lostTokens };
}

/** Undefined: what was generated was of use to somebody, or nothing was. */
export function wasteOfExchange({ backend, model, outcome, usage, contentEvents }: ExchangeSettled): Waste | undefined {
  if (backend === undefined || model === undefined || outcome === 'ok') return undefined;
  if (outcome !== 'client_closed' && contentEvents === 0) return undefined;
  return {
    backend,
    model,
    reason: outcome === 'client_closed' ? 'caller_left' : 'broken_stream',
    // A stream without its end may have told nothing, zero, or what there was so far.
    tokens: Math.max(usage?.outputTokens ?? 0, contentEvents),
  };
}

export function countWaste({ wastedTokens }: Instruments, waste: Waste | undefined, names: ModelNames): void {
  if (waste === undefined || waste.tokens === 0) return;
  const { backend, model, reason, tokens } = waste;
  wastedTokens.inc({ backend, model: names.of(model), reason }, tokens);
}
