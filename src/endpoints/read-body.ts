// From the bytes of a request body to the fields that routing reads. Shared by the endpoints; changes nothing.
import { isUtf8 } from 'node:buffer';
import { GatewayError } from '../errors.ts';
import type { Capability } from '../fleet/capabilities.ts';
import { describePosition, jsonErrorOffset } from '../wire/json-error.ts';
import { type ScannedObject, type ScanProblem, scanObject, type Span } from '../wire/json-scan.ts';
import { bytesOfText, skim } from '../wire/json-skim.ts';
import { isObject, type JsonObject, known, objectOf, parseJson, textOf } from '../wire/json-value.ts';
import type { InferenceFields } from './endpoint.ts';

export type PromptMember = 'messages' | 'prompt' | 'input';

export interface ReadBody {
  readonly scanned: ScannedObject;
  readonly fields: JsonObject;
  /** Of the body, where its prompt stands. */
  readonly member: PromptMember;
  /** Bytes of a text of the prompt. */
  readonly bytesOf: (text: string) => number;
}

/** Members the router decides by: said twice, the router and the backend might each believe another one. */
const decidedBy = [
  'model',
  'stream',
  'stream_options',
  'messages',
  'prompt',
  'input',
  'tools',
  'tool_choice',
  'functions',
  'response_format',
  'max_tokens',
  'max_completion_tokens',
];

const problems: Readonly<Record<Exclude<ScanProblem, 'malformed'>, string>> = {
  'not-an-object': 'The request body must be a JSON object.',
  'too-deep': 'The request body is nested more than 64 levels deep.',
  'too-many-members': 'The request body has more than 100,000 members or containers, or more than 1,000,000 elements.',
  'key-too-long': 'The request body has a member name longer than 16 KiB.',
};

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** @throws GatewayError `invalid_request` */
export function readBody(body: Buffer, member: PromptMember): ReadBody {
  const scanned = scanObject(body);
  if (typeof scanned === 'string' && scanned !== 'malformed' && scanned !== 'not-an-object')
    throw invalid(problems[scanned]);
  const prompt = typeof scanned === 'string' ? undefined : scanned.members.get(member);
  const short = body.length > longBodyBytes && prompt !== undefined ? skimmed(body, prompt) : undefined;
  const value = short ?? read(body);
  if (typeof scanned === 'string' || !isObject(value)) throw invalid(problems['not-an-object']);
  for (const name of decidedBy) {
    if (scanned.repeated.has(name)) throw invalid(`The request body has more than one member "${name}".`);
  }
  return { scanned, fields: value, member, bytesOf: short === undefined ? byteLength : bytesOfText };
}

export const byteLength = (text: string) => Buffer.byteLength(text);

/** Where the prompt is most of it, the rest is read without it; undefined: it has to be read whole, if only to say what is wrong. */
function skimmed(body: Buffer, prompt: Span): JsonObject | undefined {
  const text = isUtf8(body) ? skim(body, prompt) : undefined;
  return text === undefined ? undefined : objectOf(parseJson(text));
}

const longBodyBytes = 65_536;

function read(body: Buffer): unknown {
  const text = decode(body);
  // A list was not scanned for its depth, so it is refused before anything recursive could see it.
  if (text.trimStart().startsWith('[')) throw invalid(problems['not-an-object']);
  return parse(text);
}

function decode(body: Buffer): string {
  try {
    return utf8.decode(body);
  } catch {
    throw invalid('The request body is not valid UTF-8.');
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    if (text.trim() === '') throw invalid('The request body is empty; a JSON object was expected.');
    throw invalid(`The request body is not valid JSON: error at ${describePosition(text, jsonErrorOffset(text))}.`);
  }
}

/** What every endpoint reads; `prompt` is what the endpoint has found in its own members. */
export function inferenceFields(body: ReadBody, needs: readonly Capability[], prompt: Prompt): InferenceFields {
  const { fields, scanned } = body;
  const model = scanned.members.get('model');
  if (model === undefined) throw invalid('The request body has no "model".');
  if (typeof fields.model !== 'string' || fields.model === '') throw invalid('"model" must be a non-empty string.');
  const streamOptions = scanned.members.get('stream_options');
  const maxTokens = tokenBound(fields);
  const session = sessionOf(fields);
  return {
    model: fields.model,
    stream: readStream(fields),
    includeUsage: isObject(fields.stream_options) && fields.stream_options.include_usage === true,
    needs,
    textBytes: prompt.textBytes,
    totalTextBytes: prompt.totalTextBytes,
    parts: prompt.parts,
    answers: prompt.count * Math.max(1, countIn(fields.n), countIn(fields.best_of)),
    ...(maxTokens === undefined ? {} : { maxTokens }),
    ...known({ session, cacheSalt: textOf(fields.cache_salt), knownTextBytes: prompt.knownTextBytes }),
    spans: {
      start: scanned.open,
      model,
      ...known({ streamOptions, prompt: scanned.members.get(body.member), tools: scanned.members.get('tools') }),
    },
  };
}

/** The names that OpenAI's API, and what is built on it, have for it. */
function sessionOf({ prompt_cache_key, session_id, conversation, metadata }: JsonObject): string | undefined {
  const named = [
    prompt_cache_key,
    session_id,
    conversation,
    objectOf(conversation)?.['id'],
    objectOf(metadata)?.['session_id'],
    objectOf(metadata)?.['conversation_id'],
  ];
  return named.map(textOf).find((name) => name !== undefined);
}

export interface Prompt extends Pick<InferenceFields, 'textBytes' | 'totalTextBytes' | 'parts' | 'knownTextBytes'> {
  /** How many prompts. */
  readonly count: number;
}

/** A text, a list of texts, tokens, or a list of token lists, each of which is a prompt of its own. */
export function readPrompts({ fields, member, bytesOf }: ReadBody): Prompt {
  return countPrompts(fields[member], bytesOf);
}

function countPrompts(value: unknown, bytesOf: ReadBody['bytesOf']): Prompt {
  if (typeof value === 'string') return promptOf(bytesOf(value));
  const items: readonly unknown[] = Array.isArray(value) ? value : [];
  if (typeof items[0] === 'number') return promptOf(items.length * bytesPerToken);
  let [textBytes, totalTextBytes, count] = [0, 0, 0];
  for (const item of items) {
    const prompt = countPrompts(item, bytesOf);
    textBytes = Math.max(textBytes, prompt.textBytes);
    totalTextBytes += prompt.totalTextBytes;
    count += prompt.count;
  }
  return { textBytes, totalTextBytes, parts: 0, count: Math.max(1, count) };
}

function promptOf(textBytes: number): Prompt {
  return { textBytes, totalTextBytes: textBytes, parts: 0, count: 1 };
}

/** For prompts given as tokens, so that they count like text. */
const bytesPerToken = 4;

function readStream(fields: JsonObject): boolean {
  const { stream } = fields;
  if (stream === undefined || stream === null) return false;
  if (typeof stream !== 'boolean') throw invalid('"stream" must be true or false.');
  return stream;
}

function tokenBound(fields: JsonObject): number | undefined {
  // Engines differ in which of the two they obey.
  const bounds = [fields.max_completion_tokens, fields.max_tokens].filter(isCount);
  return bounds.length === 0 ? undefined : Math.max(...bounds);
}

/** More than any engine gives; a number from a caller, with which others are multiplied. */
const mostAnswers = 10_000;

function countIn(value: unknown): number {
  return isCount(value) ? Math.min(value, mostAnswers) : 0;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && value >= 0;
}

export function invalid(message: string): GatewayError {
  return new GatewayError('invalid_request', message);
}
