// What the engines' error messages mean, phrase by phrase.
// Messages are lower case here. Knows nothing of HTTP statuses.
import type { Capability } from '../fleet/capabilities.ts';
import type { BackendError } from './backend-error.ts';

const overflow = [
  'maximum context length', // vLLM, SGLang
  "longer than the model's context length", // SGLang
  'exceeds the maximum allowed length', // SGLang's scheduler
  '`inputs` must have less than', // TGI
  'tokens + `max_new_tokens` must be <=', // TGI
  'exceeds the available context size', // llama.cpp
  'too large to process', // llama.cpp embeddings, with status 500
  'larger than the max context size', // llama.cpp embeddings
  'longer than the context length currently available', // Ollama
  'input length exceeds the context length', // Ollama embeddings
  'exceed context window', // llama-cpp-python's server
];

export function isOverflow({ message, type, code }: BackendError): boolean {
  return type === 'exceed_context_size_error' || code === 'context_length_exceeded' || includesAny(message, overflow);
}

const loading = ['loading model', 'model is loading', 'still loading', 'currently scaling'];

export function isLoading({ message, type, code }: BackendError): boolean {
  return type === 'model_loading' || code === 'model_loading' || includesAny(message, loading);
}

const busy = ['is overloaded', 'queue is full', 'server busy', 'capacity reached', 'maximum pending requests'];

export function isBusy({ message, type }: BackendError): boolean {
  return type === 'overloaded' || type === 'overloaded_error' || includesAny(message, busy);
}

// Only beside a status 503. vLLM's newer queue cap sends ServiceUnavailableError; SGLang's waiting and running
// timeouts and its preemption by priority mean that it has more to do than it can.
const busyAt503 = [
  'queue',
  'busy',
  'capacity',
  'overload',
  'too many',
  'no slot available',
  'timeout reached',
  'higher priority',
];

export function isBusyAt503(error: BackendError): boolean {
  return isBusy(error) || error.type === 'serviceunavailableerror' || includesAny(error.message, busyAt503);
}

/** Model names and prompts are echoed in quotes, so only the start of these messages counts. */
export function isWrongModel({ message, type, code }: BackendError): boolean {
  if (type === 'model_disabled' || code === 'model_not_found') return true;
  if (message.startsWith('model ') && message.includes('not found')) return true; // Ollama, LocalAI, llama.cpp's router
  if (message.startsWith('the model ') && message.includes('does not exist')) return true; // vLLM, SGLang
  if (message.startsWith('model is not loaded')) return true; // llama.cpp's router with autoload off
  return message.startsWith('lora adapter') || message.startsWith('the following requested lora adapters'); // SGLang
}

/** Messages that repeat the caller's body: nothing in them is the engine's own word about itself. */
export function echoesInput({ form, message, type }: BackendError): boolean {
  if (form === 'detail' && message === '') return true; // FastAPI's list of problems
  if (type === 'bad request') return true; // vLLM and SGLang, body validation
  const start = message.slice(0, 120);
  return start.startsWith('[{') || /^\d+ validation errors?\b/.test(start) || includesAny(start, echoing);
}

const echoing = ['failed to deserialize', 'failed parsing request body', 'json schema conversion failed'];

// llama.cpp throws on bad input and answers 500; Ollama and LocalAI pass the texts of theirs on.
const callerAt500 = [
  'json.exception',
  'parse error',
  'parse_error',
  'failed to parse',
  'invalid json',
  'json schema conversion failed',
  'validation error',
];

export function isCallersFaultAt500({ message }: BackendError): boolean {
  return includesAny(message, callerAt500);
}

/** SGLang answers 503 to a priority it was not told to accept. */
export function isCallersFaultAt503({ message }: BackendError): boolean {
  return message.includes('priority is disabled');
}

/** What the server says it can't do; `unnamed` where it refuses something that is no capability of ours. */
export function lacks({ message, type }: BackendError): Capability | 'unnamed' | undefined {
  const text = message.slice(0, 400).replaceAll(/"[^"]*"/g, '""');
  if (text.includes('--enable-auto-tool-choice') || text.includes('--tool-call-parser')) return 'tools'; // vLLM
  if (text.includes('does not appear to be an embedding model')) return 'embeddings'; // SGLang
  if (text.includes('is not a multimodal model')) return 'vision'; // vLLM
  const none = /at most 0 (image|audio)/.exec(text)?.[1]; // vLLM; "at most 3" is the caller's fault
  if (none !== undefined) return none === 'image' ? 'vision' : 'audio';
  if (text.includes('audio input is not supported')) return 'audio'; // llama.cpp
  if (text.includes('image input is not supported') || text.includes('mmproj')) return 'vision'; // llama.cpp
  const refusal = /(?:does not|doesn't) support /.exec(text);
  if (refusal !== null) return refused(text.slice(refusal.index + refusal[0].length));
  return type === 'feature_disabled' ? 'unnamed' : undefined; // llama.cpp
}

/** What stands behind "does not support", word for word: "tool_choice=…" is an option, not the tools themselves. */
const names: ReadonlyMap<string, Capability> = new Map<string, Capability>([
  ...named('tools', ['tools', 'tool calling', 'tool calls', 'tool use', 'function calling']),
  ...named('vision', ['images', 'image input', 'image inputs', 'vision', 'multimodal', 'multimodal input']),
  ...named('audio', ['audio', 'audio input']),
  ...named('embeddings', ['embeddings', 'embedding']),
  ...named('chat-completions', ['chat', 'chat completions']),
  ...named('json_schema', [
    'json_schema',
    'json schema',
    'response_format json_schema',
    'structured output',
    'structured outputs',
  ]),
  ...named('completions', ['completions', 'generate']),
]);

function named(capability: Capability, words: readonly string[]): readonly (readonly [string, Capability])[] {
  return words.map((word) => [word, capability]);
}

/** The sentence that begins with what is refused, to its end. */
function refused(text: string): Capability | 'unnamed' {
  const sentence = text.split(/[.,;:!\n(]/, 1)[0] ?? '';
  return names.get(sentence.trim().replace(/ api$/, '')) ?? 'unnamed';
}

function includesAny(text: string, phrases: readonly string[]): boolean {
  return phrases.some((phrase) => text.includes(phrase));
}
