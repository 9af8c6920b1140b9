// What the simulated server answers to a whole request: JSON at once, or a turn that is played in time. Pure.
import { isObject, type JsonObject } from '../wire/json-value.ts';
import { embed } from './embeddings.ts';
import { refuse, type Refusal } from './fields.ts';
import { readChat, readCompletion, type Turn } from './turn.ts';

export interface Identity {
  readonly name: string;
  readonly models: readonly string[];
  /** Unix seconds. */
  readonly startedAt: number;
}

export type Outcome = { readonly kind: 'json'; readonly body: JsonObject } | Turn | Refusal;

type Reader = (body: JsonObject, model: string, name: string) => Outcome;

const posts: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['/v1/chat/completions', readChat],
  ['/v1/completions', readCompletion],
  ['/v1/embeddings', (body, model) => jsonOr(embed(body, model))],
]);

const gets: ReadonlyMap<string, (identity: Identity) => JsonObject> = new Map([
  ['/health', () => ({ status: 'ok' })],
  ['/v1/models', listModels],
]);

export function answerTo(method: string, path: string, body: Buffer, identity: Identity): Outcome {
  const get = gets.get(path);
  const post = posts.get(path);
  if (get !== undefined && (method === 'GET' || method === 'HEAD')) return { kind: 'json', body: get(identity) };
  if (post !== undefined && method === 'POST') return readPost(post, body, identity);
  if (get !== undefined || post !== undefined) return refuse(405, `${method} is not allowed on ${path}.`);
  return refuse(404, `Nothing is served at ${method} ${path}.`, { code: 'unknown_url' });
}

function readPost(read: Reader, body: Buffer, { name, models }: Identity): Outcome {
  const fields = parse(body);
  if (fields === undefined) return refuse(400, 'The body is not a JSON object.');
  const { model } = fields;
  if (typeof model === 'string' && models.includes(model)) return read(fields, model, name);
  if (typeof model !== 'string') return refuse(400, "'model' is missing.", { param: 'model' });
  return refuse(404, `The model '${model}' does not exist.`, { param: 'model', code: 'model_not_found' });
}

function parse(body: Buffer): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(body.toString());
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function jsonOr(result: JsonObject | Refusal): Outcome {
  return isRefusal(result) ? result : { kind: 'json', body: result };
}

function isRefusal(result: JsonObject | Refusal): result is Refusal {
  return result['kind'] === 'refusal';
}

function listModels({ models, startedAt }: Identity): JsonObject {
  const data = models.map((id) => ({
    id,
    object: 'model',
    created: startedAt,
    owned_by: 'switchyard-simulated',
    context_length: 8192,
    capabilities: {
      'chat-completions': true,
      completions: true,
      embeddings: true,
      tools: true,
      vision: true,
      audio: true,
      json_schema: true,
    },
  }));
  return { object: 'list', data };
}
