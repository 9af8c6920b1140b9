// What a simulated model "says" to a chat or completion request. Pure: no model, no time, no sockets.
import { isObject, type JsonObject } from '../wire/json-value.ts';
import { refuse, type Refusal, textOf, tokensIn } from './fields.ts';
import { valueFor } from './schema-value.ts';

export interface Turn {
  readonly kind: 'turn';
  readonly chat: boolean;
  readonly model: string;
  /** One token each: of the text, or of the arguments when there is a tool. */
  readonly pieces: readonly string[];
  /** The function called. */
  readonly tool?: string;
  readonly finish: 'stop' | 'length' | 'tool_calls';
  readonly promptTokens: number;
  readonly stream: boolean;
  readonly includeUsage: boolean;
}

const longestEcho = 200;
const opening = 'This is a simulated answer';

export function readChat(body: JsonObject, model: string, name: string): Turn | Refusal {
  const { messages, tools, tool_choice: choice, response_format: format } = body;
  if (!Array.isArray(messages) || messages.length === 0) {
    return refuse(400, "'messages' must be a list with at least one message.", { param: 'messages' });
  }
  const prompt = textOf(messages);
  const call = chosenTool(tools, choice);
  if (call?.kind === 'refusal') return call;
  const spoken = JSON.stringify(call === undefined ? structured(format) : valueFor(call.parameters));
  const text =
    spoken ?? sentence(name, textOf(messages.findLast((entry) => isObject(entry) && entry['role'] === 'user')));
  const turn = turnFor(body, { chat: true, model, text, said: beginning(messages), prompt });
  return call === undefined
    ? turn
    : { ...turn, tool: call.name, finish: turn.finish === 'stop' ? 'tool_calls' : turn.finish };
}

export function readCompletion(body: JsonObject, model: string, name: string): Turn | Refusal {
  const { prompt } = body;
  if (typeof prompt !== 'string' && !Array.isArray(prompt)) {
    return refuse(400, "'prompt' must be a text, a list of texts or a list of tokens.", { param: 'prompt' });
  }
  const text = textOf(prompt);
  const at = text.indexOf(opening);
  const [question, said] = at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at)];
  return turnFor(body, { chat: false, model, text: sentence(name, question), said, prompt: text });
}

/** Of an answer that is to be gone on with: what stands last, when it is the assistant's. */
function beginning(messages: readonly unknown[]): string {
  const last = messages.at(-1);
  return isObject(last) && last['role'] === 'assistant' ? textOf([last]) : '';
}

function tokensOf(text: string): readonly string[] {
  return text.match(/\s*\S{1,12}/g) ?? [];
}

function turnFor(
  { max_completion_tokens: newer, max_tokens: older, stream, stream_options: options }: JsonObject,
  {
    chat,
    model,
    text,
    said,
    prompt,
  }: {
    readonly chat: boolean;
    readonly model: string;
    readonly text: string;
    readonly said: string;
    readonly prompt: string;
  },
): Turn {
  const whole = tokensOf(text).slice(tokensOf(said).length);
  const bound = newer ?? older;
  const most = typeof bound === 'number' && bound > 0 ? Math.floor(bound) : Infinity;
  return {
    kind: 'turn',
    chat,
    model,
    pieces: whole.slice(0, most),
    finish: whole.length > most ? 'length' : 'stop',
    promptTokens: tokensIn(prompt),
    stream: stream === true,
    includeUsage: isObject(options) && options['include_usage'] === true,
  };
}

function sentence(name: string, prompt: string): string {
  const said = prompt.length > longestEcho ? `${prompt.slice(0, longestEcho)}…` : prompt;
  return `${opening} from Switchyard backend "${name}", no model was run. You said: ${said}`;
}

/** Undefined: plain text was asked for. */
function structured(format: unknown): unknown {
  if (!isObject(format)) return undefined;
  if (format['type'] === 'json_object') return { simulated: true };
  if (format['type'] !== 'json_schema') return undefined;
  const { json_schema: wrapper } = format;
  return valueFor(isObject(wrapper) ? wrapper['schema'] : undefined);
}

type Call = { readonly kind: 'call'; readonly name: string; readonly parameters: unknown };

/** Only a choice that insists gets a call: `auto` is a model's decision, and there is none here. */
function chosenTool(tools: unknown, choice: unknown): Call | Refusal | undefined {
  if (choice !== 'required' && !isObject(choice)) return undefined;
  const functions = (Array.isArray(tools) ? tools : []).map((tool) => (isObject(tool) ? tool['function'] : undefined));
  const wanted = isObject(choice) && isObject(choice['function']) ? choice['function']['name'] : undefined;
  const found = functions.find((entry) => isObject(entry) && (choice === 'required' || entry['name'] === wanted));
  if (!isObject(found) || typeof found['name'] !== 'string') {
    return refuse(400, "'tool_choice' names a function that is not in 'tools'.", { param: 'tool_choice' });
  }
  return { kind: 'call', name: found['name'], parameters: found['parameters'] ?? { type: 'object' } };
}
