// What is assumed of the machines behind each engine until their own pace is known. Only ratios matter: what is the same for
// all backends of a model cancels out when they are compared, and how much slower one of them is, is learnt.

/** Seconds. */
export interface Pace {
  /** To read one token of a prompt; and more, for each token before it. */
  readonly perToken: number;
  readonly attention: number;
  /** Of one step of decoding; and more, for each request and for each token resident. */
  readonly perStep: number;
  readonly perSequence: number;
  readonly perResident: number;
}

export interface Machine extends Pace {
  /** Tokens that its KV cache has room for. */
  readonly capacityTokens: number;
}

/** Between what was measured of models of 8 and 70 thousand million parameters on data-centre GPUs. */
const batching: Machine = {
  perToken: 1 / 8_000,
  attention: 3e-9,
  perStep: 0.02,
  perSequence: 1e-4,
  perResident: 1e-7,
  capacityTokens: 400_000,
};

/** A quantised model of 8 thousand million parameters in llama.cpp, four at a time. */
const fewSlots: Machine = {
  perToken: 1 / 2_500,
  attention: 1e-8,
  perStep: 0.012,
  perSequence: 0.004,
  perResident: 4e-7,
  capacityTokens: 32_768,
};

const machines: Readonly<Record<string, Machine>> = { llamacpp: fewSlots, ollama: fewSlots, localai: fewSlots };

export function machineOf(engine: string): Machine {
  return machines[engine] ?? batching;
}
