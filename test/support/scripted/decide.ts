// What a healthy engine does with a POST when nothing else was told: refuse what it would refuse, else answer. Pure.
import { answer, type Behaviour, fault, reply } from './behaviours.ts';
import {
  type Abilities,
  type Dialect,
  type Endpoint,
  type FaultContext,
  isJson,
  type Json,
  paths,
  type ScriptedModel,
  type World,
} from './dialect.ts';
import { type JournalEntry, parsed } from './journal.ts';

export function decide(dialect: Dialect, world: World, entry: JournalEntry): Behaviour {
  const endpoint = endpointAt(entry.path);
  if (endpoint === undefined) {
    const question = { method: entry.method, path: entry.path, query: new URLSearchParams(), accept: '', world };
    const { status, body, headers } = dialect.notFound(question);
    return reply(status, body, headers);
  }
  const model = modelFor(dialect, world, entry.json['model']);
  const can = (model ?? world.models[0])?.can ?? nothing;
  if (endpoint === 'embeddings' && !can.embeddings) return fault('no-embeddings');
  const body = parsed(entry.body);
  if (body === undefined) return fault('bad-json');
  // the content type is checked.
  if (dialect.name === 'vllm' && !(entry.headers['content-type'] ?? '').startsWith('application/json'))
    return fault('invalid');
  if (model === undefined) return fault('wrong-model');
  if (endpoint === 'completions' && !can.completions) return fault('no-completions');
  if (endpoint === 'chat' && !Array.isArray(body['messages'])) return fault('invalid');
  if (Array.isArray(body['tools']) && !can.tools) return fault('no-tools');
  // TGI turns the image into text instead of refusing it.
  if (hasImage(body) && !can.vision && dialect.name !== 'tgi') return fault('no-vision');
  if (overflows(dialect, model, contextOf(world, entry))) return fault('overflow');
  const tool = forcedTool(body);
  return tool === undefined ? answer() : answer({ tool: { name: tool, arguments: '{}' } });
}

export function endpointAt(path: string): Endpoint | undefined {
  if (path === paths.chat) return 'chat';
  if (path === paths.completions) return 'completions';
  return path === paths.embeddings ? 'embeddings' : undefined;
}

/** A token is four characters of the prompt's text. */
export function contextOf(world: World, { json }: JournalEntry): FaultContext {
  const asked = json['model'];
  const model = world.models.find(({ id }) => id === asked) ?? world.models[0];
  const most = json['max_tokens'] ?? json['max_completion_tokens'];
  return {
    model: typeof asked === 'string' && asked !== '' ? asked : (model?.id ?? ''),
    contextTokens: model?.contextTokens ?? 0,
    promptTokens: Math.ceil(textLength(json['messages'] ?? json['prompt'] ?? json['input']) / 4),
    maxTokens: typeof most === 'number' ? most : 0,
  };
}

const nothing: Abilities = { chat: false, completions: false, embeddings: false, tools: false, vision: false };

function modelFor({ name, checksModel }: Dialect, world: World, asked: unknown): ScriptedModel | undefined {
  const [first] = world.models;
  const exact = world.models.find(({ id }) => id === asked);
  if (exact !== undefined || !checksModel) return exact ?? first;
  if (typeof asked !== 'string' || asked === '') return name === 'ollama' || name === 'openai' ? undefined : first;
  if (name === 'ollama') return world.models.find(({ id }) => tagged(id) === tagged(asked));
  // a name with a slash is not checked.
  return name === 'localai' && asked.includes('/') ? first : undefined;
}

// `:latest` is implied and case does not matter.
function tagged(name: string): string {
  return (name.includes(':') ? name : `${name}:latest`).toLowerCase();
}

function overflows(
  { name, truncatesSilently }: Dialect,
  model: ScriptedModel,
  { promptTokens, maxTokens }: FaultContext,
): boolean {
  if (truncatesSilently === true) return false;
  const addsOutput = name === 'vllm' || name === 'sglang' || name === 'tgi';
  return promptTokens + (addsOutput ? maxTokens : 0) > model.contextTokens;
}

function parts(body: Json): readonly Json[] {
  const messages = Array.isArray(body['messages']) ? body['messages'].filter(isJson) : [];
  return messages.flatMap(({ content }) => (Array.isArray(content) ? content.filter(isJson) : []));
}

function hasImage(body: Json): boolean {
  return parts(body).some(({ type }) => type === 'image_url');
}

function textLength(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (Array.isArray(value)) return value.reduce((sum: number, entry) => sum + textLength(entry), 0);
  return isJson(value) ? textLength(value['content'] ?? value['text']) : 0;
}

/** The function that `tool_choice` insists on. */
function forcedTool(body: Json): string | undefined {
  const choice = body['tool_choice'];
  const tools = Array.isArray(body['tools']) ? body['tools'].filter(isJson) : [];
  const from = choice === 'required' ? tools[0] : isJson(choice) ? choice : undefined;
  const named = from?.['function'];
  return isJson(named) && typeof named['name'] === 'string' ? named['name'] : undefined;
}
