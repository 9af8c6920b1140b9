// The same requests under the names of OpenTelemetry's conventions for generative AI, for whoever has boards for those:
// `metrics.genai_names`. Still in development there, so our own names are the ones to rely on.
// https://github.com/open-telemetry/semantic-conventions/blob/v1.41.0/docs/gen-ai/gen-ai-metrics.md
import { Histogram, type Registry } from 'prom-client';
import type { ExchangeSettled } from '../routing/ports.ts';
import { perTokenOf } from './settled.ts';

const durationBuckets = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
const firstTokenBuckets = [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
const perTokenBuckets = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5];
const tokenBuckets = Array.from({ length: 14 }, (_, power) => 4 ** power);

// Of a server's own address its scrape target tells; which backend it was, our own metrics do.
const labelNames = [
  'gen_ai_operation_name',
  'gen_ai_provider_name',
  'gen_ai_request_model',
  'gen_ai_response_model',
] as const;

/** The words that the conventions have for what we call an endpoint; what has none is no operation. */
const operations: Readonly<Record<string, string>> = {
  'chat-completions': 'chat',
  completions: 'text_completion',
  embeddings: 'embeddings',
};

export interface GenaiMetrics {
  readonly all: readonly Histogram[];
  /** `model` and `served`: as labels have them. */
  settled(event: ExchangeSettled, model: string, served: string): void;
}

export function createGenaiMetrics(registry: Registry): GenaiMetrics {
  const registers = [registry];
  const duration = new Histogram({
    name: 'gen_ai_server_request_duration_seconds',
    help: 'From arrival of the head to the last response byte',
    labelNames: [...labelNames, 'error_type'],
    buckets: durationBuckets,
    registers,
  });
  const firstToken = new Histogram({
    name: 'gen_ai_server_time_to_first_token_seconds',
    help: 'Streaming only: request accepted to first content-bearing event sent',
    labelNames,
    buckets: firstTokenBuckets,
    registers,
  });
  const perToken = new Histogram({
    name: 'gen_ai_server_time_per_output_token_seconds',
    help: 'Streaming only: (end - first token) / (output tokens - 1)',
    labelNames,
    buckets: perTokenBuckets,
    registers,
  });
  const tokens = new Histogram({
    name: 'gen_ai_client_token_usage',
    help: 'Tokens of one request as reported by backends: input or output',
    labelNames: [...labelNames, 'gen_ai_token_type'],
    buckets: tokenBuckets,
    registers,
  });
  return {
    all: [duration, firstToken, perToken, tokens],
    settled(event, model, served) {
      const operation = operations[event.endpoint];
      if (operation === undefined) return;
      const labels = {
        gen_ai_operation_name: operation,
        gen_ai_provider_name: event.engine ?? 'switchyard',
        gen_ai_request_model: model,
        gen_ai_response_model: served,
      };
      const { outcome, usage, durationMs, firstTokenMs } = event;
      // An empty label is one that is not there.
      duration.observe({ ...labels, error_type: outcome === 'ok' ? '' : outcome }, durationMs / 1000);
      if (usage !== undefined) {
        tokens.observe({ ...labels, gen_ai_token_type: 'input' }, usage.inputTokens);
        tokens.observe({ ...labels, gen_ai_token_type: 'output' }, usage.outputTokens);
      }
      // These two are of what succeeded only.
      if (firstTokenMs === undefined || outcome !== 'ok') return;
      firstToken.observe(labels, firstTokenMs / 1000);
      const perTokenMs = perTokenOf(event);
      if (perTokenMs !== undefined) perToken.observe(labels, perTokenMs / 1000);
    },
  };
}
