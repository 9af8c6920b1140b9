// POST /v1/completions, the older text-in, text-out endpoint.
// https://platform.openai.com/docs/api-reference/completions/create
import type { Endpoint } from './endpoint.ts';
import { inferenceFields, readPrompts, readBody } from './read-body.ts';

export const completions: Endpoint = {
  name: 'completions',
  path: '/v1/completions',
  streams: true,
  read(bytes) {
    const body = readBody(bytes, 'prompt');
    return inferenceFields(body, ['completions'], readPrompts(body));
  },
};
