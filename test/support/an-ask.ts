// A request as policies see it: of 100 tokens and an answer of 100, in nobody's conversation, unless a test says more.
import type { Ask } from '../../src/selection/policy.ts';
import { aRequest } from './a-request.ts';

export function anAsk(wishes: Partial<Ask> = {}): Ask {
  const fields = aRequest();
  return { tenant: 't', fields, body: fields.body, promptTokens: 100, answerTokens: 100, ...wishes };
}
