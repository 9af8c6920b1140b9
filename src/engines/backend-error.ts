// One shape for every error the engines send. It says what was sent, not what it means.
import { type JsonObject, isObject, parseJson, textOf } from '../wire/json-value.ts';

export interface BackendError {
  /** `detail`: FastAPI's own answers, `{"detail":…}`. `text`: not JSON, HTML included. */
  readonly form: 'object' | 'detail' | 'text' | 'empty';
  /** Lower case, its first `messageChars` characters; empty where none was sent. */
  readonly message: string;
  /** `type` or TGI's `error_type`, lower case. */
  readonly type: string;
  /** A textual code, lower case. */
  readonly code: string;
  /** The status the error itself names. TGI's stream events hard-code 422, which says nothing and is left out. */
  readonly status?: number;
}

// What tells errors apart stands at their start; behind it engines echo the caller's own text.
const messageChars = 1_000;

/** Reads the body of a reply that failed. */
export function readError(text: string): BackendError {
  const trimmed = text.trim();
  if (trimmed === '') return { form: 'empty', message: '', type: '', code: '' };
  const value = parseJson(trimmed);
  if (isObject(value)) return errorIn(value) ?? flatError(value);
  if (trimmed.startsWith('{')) return cutError(trimmed);
  return { form: 'text', message: shorten(trimmed), type: '', code: '' };
}

/** The error an object carries, for objects that may be answers too: events of a stream and replies with status 2xx. */
export function errorIn(object: JsonObject): BackendError | undefined {
  const { error } = object;
  if (isObject(error)) return describe(error, messageOf(error), textOf(error['type']) ?? textOf(object['error_type']));
  if (textOf(error) !== undefined)
    return describe(object, error, textOf(object['error_type']) ?? textOf(object['type']));
  if (object['object'] === 'error') return flatError(object);
  return undefined;
}

/** Whether a body too long to be parsed opens as an error does; an answer opens with its `id` or its `object`. */
export function opensAsError(text: string): boolean {
  return /^\s*\{\s*"(?:error"\s*:\s*["{]|object"\s*:\s*"error")/.test(text);
}

function messageOf(error: JsonObject): unknown {
  return error['message'] ?? error['error'];
}

function flatError(object: JsonObject): BackendError {
  if (!('message' in object) && 'detail' in object) {
    return { form: 'detail', message: shorten(object['detail']), type: '', code: '' };
  }
  return describe(object, object['message'], textOf(object['type']));
}

function describe(holder: JsonObject, message: unknown, type: string | undefined): BackendError {
  const { code } = holder;
  const status = errorStatus(code) ?? spokenStatus(holder['http_status_code']);
  return {
    form: 'object',
    message: shorten(message),
    type: shorten(type),
    code: shorten(code),
    ...(status === undefined ? {} : { status }),
  };
}

function spokenStatus(value: unknown): number | undefined {
  const status = errorStatus(value);
  return status === 422 ? undefined : status;
}

/** vLLM's two front ends write codes as a number or as text. */
function errorStatus(code: unknown): number | undefined {
  const status = typeof code === 'string' && /^[45]\d\d$/.test(code) ? Number(code) : code;
  return typeof status === 'number' && Number.isInteger(status) && status >= 400 && status <= 599 ? status : undefined;
}

/** JSON that ends early, because only the start of a long body is looked at: what stands where a message would. */
function cutError(text: string): BackendError {
  const opening = /"(?:message|error|detail)"\s{0,8}:\s{0,8}"/.exec(text);
  const message = opening === null ? text : text.slice(opening.index + opening[0].length);
  return { form: 'object', message: shorten(message), type: '', code: '' };
}

function shorten(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, messageChars).toLowerCase() : '';
}
