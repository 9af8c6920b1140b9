// A request as routing sees it: the smallest chat, and what a test is about.
import type { InferenceRequest } from '../../src/routing/exchange.ts';

export function aRequest(fields: Partial<InferenceRequest> = {}): InferenceRequest {
  return {
    endpoint: 'chat-completions',
    model: 'm',
    stream: false,
    includeUsage: false,
    needs: [],
    textBytes: 0,
    totalTextBytes: 0,
    parts: 0,
    answers: 1,
    spans: { start: 1, model: { start: 0, end: 0 } },
    body: Buffer.from('{}'),
    headers: [],
    ...fields,
  };
}
