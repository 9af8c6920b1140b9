// How a scripted engine is set up, and the defaults.
import type { Abilities, Dialect, EngineKind, Health, ScriptedModel } from './dialect.ts';

export interface ScriptedEngineOptions {
  readonly imitates: EngineKind;
  /** `['test-model']` unless said. On vLLM the first is the name that answers carry. */
  readonly models?: readonly (string | (Pick<ScriptedModel, 'id'> & ModelOptions))[];
  /** Of every model that has none of its own; 8192 unless said. */
  readonly contextTokens?: number;
  /** Of every model, over what the engine usually has. */
  readonly can?: Partial<Abilities>;
  /** Parallel generations; unbounded unless said. */
  readonly slots?: number;
  /** With all slots taken: what the engine does, unless said. */
  readonly atCapacity?: 'queue' | 'reject';
  readonly apiKey?: string;
  readonly health?: Health;
  /** How long `/health` takes; SGLang really takes a second or more. */
  readonly healthDelayMs?: number;
  /** Idle time of a connection; the engine's own unless said, 0 for ever. */
  readonly keepAliveMs?: number;
  /** 0 to 1, as `/metrics` shows it. */
  readonly kvUsage?: number;
  readonly host?: string;
  readonly port?: number;
}

interface ModelOptions {
  readonly contextTokens?: number;
  readonly can?: Partial<Abilities>;
  readonly parent?: string;
  readonly loaded?: boolean;
}

export function modelsOf(options: ScriptedEngineOptions, dialect: Dialect): readonly ScriptedModel[] {
  return (options.models ?? ['test-model']).map((entry) => {
    const model: { readonly id: string } & ModelOptions = typeof entry === 'string' ? { id: entry } : entry;
    return {
      loaded: true,
      contextTokens: options.contextTokens ?? 8192,
      ...model,
      can: { ...everything, ...dialect.defaultCan, ...options.can, ...model.can },
    };
  });
}

const everything: Abilities = { chat: true, completions: true, embeddings: true, tools: true, vision: true };
