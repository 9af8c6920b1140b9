// What a request needs, as `explain` asks the router about it: sizes and needs, never a word of the prompt.
import { endpoints } from '../endpoints/index.ts';
import { GatewayError } from '../errors.ts';
import { type EndpointName, endpointNames } from '../fleet/capabilities.ts';
import { isObject, type JsonObject, parseJson, textOf } from '../wire/json-value.ts';

export interface Asked {
  readonly model?: string;
  readonly endpoint?: EndpointName;
  readonly needs?: readonly string[];
  readonly tenant?: string;
  /** A request body, or a prompt as plain text. */
  readonly prompt?: Buffer;
}

export type ExplainQuery =
  | {
      readonly query: URLSearchParams;
      /** Something to be told beside the answer. */
      readonly note?: string;
    }
  | { readonly problem: string };

/** What flags say wins over what the body says. */
export function explainQuery(asked: Asked): ExplainQuery {
  const { prompt = Buffer.alloc(0), tenant } = asked;
  const parsed = parseJson(prompt.toString('utf8'));
  const body = isObject(parsed) ? parsed : undefined;
  const model = asked.model ?? textOf(body?.['model']);
  if (model === undefined) return { problem: 'No model: give --model, or a request body that names one.' };
  const endpoint = asked.endpoint ?? endpointOf(body);
  const needs = new Set(asked.needs);
  const query = new URLSearchParams({ model, endpoint });
  let bytes = prompt.length;
  if (body !== undefined) {
    try {
      const fields = endpoints[endpoint].read(body['model'] === undefined ? withModel(body, model) : prompt);
      for (const need of fields.needs) if (need !== endpoint) needs.add(need);
      bytes = fields.textBytes;
      if (fields.maxTokens !== undefined) query.set('max_tokens', `${fields.maxTokens}`);
    } catch (cause) {
      if (cause instanceof GatewayError) return { problem: cause.message };
      throw cause;
    }
  }
  if (needs.size > 0) query.set('needs', [...needs].join(','));
  if (bytes > 0) query.set('prompt_bytes', `${bytes}`);
  if (tenant !== undefined) query.set('tenant', tenant);
  const isBroken = body === undefined && /^\s*\{/.test(prompt.toString('utf8'));
  return isBroken ? { query, note: 'The prompt file is not valid JSON; it counts as plain text.' } : { query };
}

function withModel(body: JsonObject, model: string): Buffer {
  return Buffer.from(JSON.stringify({ ...body, model }));
}

/** By the member that only its bodies have. */
function endpointOf(body: JsonObject | undefined): EndpointName {
  const members: Readonly<Record<EndpointName, string>> = {
    'chat-completions': 'messages',
    completions: 'prompt',
    embeddings: 'input',
  };
  return endpointNames.find((name) => body?.[members[name]] !== undefined) ?? 'chat-completions';
}
