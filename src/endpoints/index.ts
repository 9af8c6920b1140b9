// The endpoints callers can use. A new one is a file and a line here.
import type { EndpointName } from '../fleet/capabilities.ts';
import { chatCompletions } from './chat-completions.ts';
import { completions } from './completions.ts';
import { embeddings } from './embeddings.ts';
import type { Endpoint } from './endpoint.ts';

export const endpoints = {
  'chat-completions': chatCompletions,
  completions,
  embeddings,
} satisfies Record<EndpointName, Endpoint>;
