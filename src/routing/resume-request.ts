// The request for the rest of a broken stream: the caller's own, with what was said so far put behind its prompt. Only
// where the joined answer is what one backend would have given: nothing structured, nothing counted per token.
import type { Engine } from '../engines/engine.ts';
import type { EndpointName } from '../fleet/capabilities.ts';
import { type ScannedObject, scanObject } from '../wire/json-scan.ts';
import { isObject, type JsonObject, objectOf, parseJson } from '../wire/json-value.ts';
import type { Splice } from '../wire/splice.ts';
import type { InferenceRequest } from './exchange.ts';

/** Members that bind the answer as a whole, or tell something of each token; absent, null, false and 0 are no wish. */
const binding = [
  'tools',
  'functions',
  'function_call',
  'logprobs',
  'top_logprobs',
  'prompt_logprobs',
  'suffix',
  'echo',
  'best_of',
  'prediction',
  'audio',
  'modalities',
  'structured_outputs',
  'guided_json',
  'guided_regex',
  'guided_choice',
  'guided_grammar',
  'grammar',
  'json_schema',
  'regex',
  'ebnf',
  'use_beam_search',
  'continue_final_message',
  'add_generation_prompt',
];

/** Whether the rest of its answer can be asked for at all; which engines can is for `canResume`. */
export function resumable(request: InferenceRequest): boolean {
  if (request.answers !== 1 || request.needs.includes('tools') || request.needs.includes('json_schema')) return false;
  const body = objectOf(parseJson(request.body.toString('utf8')));
  if (body === undefined || binding.some((name) => isWish(body[name])) || !isPlainText(body)) return false;
  return request.endpoint === 'completions' ? typeof body['prompt'] === 'string' : endsWithQuestion(body['messages']);
}

export function canResume({ resumes }: Engine, endpoint: EndpointName): boolean {
  return endpoint === 'completions' ? resumes?.completions === true : resumes?.chat !== undefined;
}

export interface SoFar {
  readonly text: string;
  /** Undefined: the caller has set no bound. */
  readonly tokensLeft: number | undefined;
}

/** What makes of the caller's request the one for the rest. */
export function resumingSplices(
  { body, endpoint, spans }: InferenceRequest,
  engine: Engine,
  said: SoFar,
): readonly Splice[] {
  const scanned = scanObject(body);
  if (typeof scanned === 'string') return [];
  const splices: Splice[] = [...shorter(scanned, said.tokensLeft)];
  // Only blanks were said, which the next one says itself; templates take no empty message for the end of theirs.
  if (said.text === '') return splices;
  const span = scanned.members.get(endpoint === 'completions' ? 'prompt' : 'messages');
  if (span === undefined) return [];
  // Right before the quote or the bracket that ends it.
  const at = span.end - 1;
  const message = JSON.stringify({ role: 'assistant', content: said.text });
  const bytes = Buffer.from(endpoint === 'completions' ? JSON.stringify(said.text).slice(1, -1) : `,${message}`);
  splices.push({ start: at, end: at, bytes });
  if (endpoint === 'chat-completions' && engine.resumes?.chat === 'continue_final_message') {
    for (const [name, value] of flags) {
      const given = scanned.members.get(name);
      splices.push(
        given === undefined
          ? { start: spans.start, end: spans.start, bytes: Buffer.from(`"${name}":${value},`) }
          : { ...given, bytes: Buffer.from(String(value)) },
      );
    }
  }
  return splices;
}

const flags = [
  ['continue_final_message', true],
  ['add_generation_prompt', false],
] as const;

function shorter({ members }: ScannedObject, tokensLeft: number | undefined): readonly Splice[] {
  if (tokensLeft === undefined) return [];
  const bytes = Buffer.from(String(Math.max(1, tokensLeft)));
  return ['max_tokens', 'max_completion_tokens'].flatMap((name) => {
    const span = members.get(name);
    return span === undefined ? [] : { ...span, bytes };
  });
}

function isWish(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === 0) return false;
  return !Array.isArray(value) || value.length > 0;
}

function isPlainText({ response_format: format }: JsonObject): boolean {
  return !isObject(format) || format['type'] === 'text';
}

/** An answer that the caller has itself begun is one that some engines join, and others do not. */
function endsWithQuestion(messages: unknown): boolean {
  const last: unknown = Array.isArray(messages) ? messages.at(-1) : undefined;
  return isObject(last) && last['role'] !== 'assistant';
}
