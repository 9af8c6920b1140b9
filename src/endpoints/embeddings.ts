// POST /v1/embeddings. Never streamed. https://platform.openai.com/docs/api-reference/embeddings/create
import type { Endpoint } from './endpoint.ts';
import { inferenceFields, readPrompts, readBody } from './read-body.ts';

export const embeddings: Endpoint = {
  name: 'embeddings',
  path: '/v1/embeddings',
  streams: false,
  read(bytes) {
    const body = readBody(bytes, 'input');
    return inferenceFields(body, ['embeddings'], readPrompts(body));
  },
};
