// Judges whole replies of any engine: their error dialects differ, but no two of them use the same words for different
// things. The status decides which phrases may count, because 4xx messages can carry the caller's own text.
import { type BackendError, errorIn, opensAsError, readError } from './backend-error.ts';
import type { HeaderMap, Judgement, Verdict } from './engine.ts';
import * as phrases from './error-phrases.ts';
import { isObject, type JsonObject, objectsIn, parseJson } from '../wire/json-value.ts';

/** The body handed in holds at most this much; one this long may have been cut. */
const judgedBytes = 65_536;

/** For plain replies; events of a stream are for `readEvent`. Never throws. */
export function judgeReply(status: number, headers: HeaderMap, body: Buffer, value?: unknown): Judgement {
  if (status >= 200 && status < 300) return judgeAnswer(headers, body, value ?? parseJson(body.toString('utf8')));
  if (!(status >= 400 && status < 600)) return { verdict: 'broken' };
  return judgeError(status, readError(body.toString('utf8')), headers['retry-after'] !== undefined);
}

function judgeAnswer(headers: HeaderMap, body: Buffer, value: unknown): Judgement {
  if (headers['content-type']?.toLowerCase().startsWith('text/html') === true) return { verdict: 'broken' };
  if (isObject(value)) {
    if (isAborted(value)) return { verdict: 'broken' };
    if ('choices' in value || 'data' in value) return { verdict: 'serve' };
    const error = errorIn(value);
    return error === undefined ? { verdict: 'serve' } : judgeErrorWithin(error);
  }
  const text = body.toString('utf8');
  if (body.length < judgedBytes || !text.trimStart().startsWith('{')) return { verdict: 'broken' };
  return opensAsError(text) ? judgeErrorWithin(readError(text)) : { verdict: 'serve' };
}

/** vLLM ends what it runs this way when it shuts down, with status 200. */
function isAborted(reply: JsonObject): boolean {
  return objectsIn(reply['choices']).some((choice) => choice['finish_reason'] === 'abort');
}

/** An error that came with a status of its own. */
function judgeError(status: number, error: BackendError, retryAfter: boolean): Judgement {
  if (status === 401) return { verdict: 'misconfigured' };
  if (status === 403) return judgeForbidden(error);
  if (status === 429) return { verdict: 'busy' };
  if (phrases.echoesInput(error) && status < 500) return { verdict: 'caller' };
  if (phrases.isOverflow(error)) return { verdict: 'overflow' };
  if (status === 500 && phrases.isCallersFaultAt500(error)) return { verdict: 'caller' };
  if (status === 503 || status === 529) return judgeUnavailable(error, retryAfter);
  const lacked = phrases.lacks(error);
  if (lacked !== undefined && lacked !== 'unnamed') return { verdict: 'unsupported', capability: lacked };
  if (status === 404 && isMissingRoute(error)) return { verdict: 'unsupported', missingRoute: true };
  if (lacked !== undefined || status === 501 || status === 405) return { verdict: 'unsupported' };
  return { verdict: status < 500 ? judgeRefusal(status, error) : judgeFailure(error) };
}

/** An error inside a reply that said 200. */
export function judgeErrorWithin(error: BackendError): Judgement & { readonly status: number } {
  const named = error.status ?? impliedStatus(error);
  const judgement = judgeError(named, error, false);
  return { ...judgement, status: answerStatus(judgement.verdict, named, error.status) };
}

/** 403 is also LocalAI's disabled model, llama.cpp's disabled feature, and Ollama's cloud model with the cloud off. */
function judgeForbidden(error: BackendError): Judgement {
  if (error.type === 'model_disabled' || error.message.includes('cloud is disabled')) return { verdict: 'wrong-model' };
  return { verdict: error.type === 'feature_disabled' ? 'unsupported' : 'misconfigured' };
}

function judgeUnavailable(error: BackendError, retryAfter: boolean): Judgement {
  if (phrases.isCallersFaultAt503(error)) return { verdict: 'caller' };
  if (phrases.isLoading(error)) return { verdict: 'loading' };
  return { verdict: retryAfter || phrases.isBusyAt503(error) ? 'busy' : 'broken' };
}

function judgeRefusal(status: number, error: BackendError): Verdict {
  if (status === 408 || status === 424 || status === 499) return 'broken'; // TGI's failed generation, Ollama's lost runner
  if (phrases.isWrongModel(error)) return 'wrong-model';
  if (status !== 404) return 'caller';
  if (error.form !== 'object') return 'unsupported';
  return error.message.includes('model') ? 'wrong-model' : 'caller';
}

/** FastAPI's, llama.cpp's, LocalAI's and Go's way to say that there is no such path; what stands in between says it otherwise. */
function isMissingRoute({ message }: BackendError): boolean {
  return missingRoutes.has(message.trim());
}

const missingRoutes = new Set(['not found', 'file not found', 'resource not found', '404 page not found']);

function judgeFailure(error: BackendError): Verdict {
  if (phrases.isLoading(error)) return 'loading';
  return phrases.isBusy(error) ? 'busy' : 'broken';
}

const statusOfType: ReadonlyMap<string, number> = new Map([
  ['overloaded', 429],
  ['overloaded_error', 429],
  ['rate_limit_error', 429],
  ['invalid_request_error', 400],
  ['badrequesterror', 400],
  ['validation', 422],
  ['template_error', 422],
  ['missing_template_variable', 422],
  ['tool_error', 422],
  ['not_found_error', 404],
  ['notfounderror', 404],
  ['authentication_error', 401],
  ['permission_error', 403],
  ['not_supported_error', 501],
  ['unavailable_error', 503],
]);

/** TGI's event says 422 whatever happened, LocalAI's says "server_error": the text has to tell. */
function impliedStatus(error: BackendError): number {
  const status = statusOfType.get(error.type);
  if (status !== undefined) return status;
  if (error.message.includes('model is overloaded')) return 429;
  if (phrases.isBusy(error) || phrases.isLoading(error)) return 503;
  const callers = ['input validation error', 'template error', 'tool error', 'missing template variable'];
  return callers.some((start) => error.message.startsWith(start)) ? 422 : 500;
}

/** What to answer when the error has to become a reply of its own. */
function answerStatus(verdict: Verdict, named: number, sent: number | undefined): number {
  switch (verdict) {
    case 'busy':
      return named === 429 ? 429 : 503;
    case 'loading':
      return 503;
    case 'caller':
    case 'overflow':
      return named < 500 ? named : 400;
    case 'unsupported':
      return 501;
    case 'wrong-model':
      return 404;
    case 'misconfigured':
      return 502;
    case 'broken':
    case 'serve':
      return sent !== undefined && sent >= 500 ? sent : 502;
    default:
      return verdict satisfies never;
  }
}
