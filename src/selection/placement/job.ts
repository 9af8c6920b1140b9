// From a request to what placement knows of one: its fingerprint, its conversation, and how much there is to do.
import type { Ask } from '../policy.ts';
import { Fingerprinter, hashOfText } from './fingerprint.ts';
import type { Job } from './placement.ts';

/** One request at a time, in one go. */
const fingerprinter = new Fingerprinter();

/** Worked out once for each request and model. */
export function jobOf(ask: Ask, model: string): Job {
  const known = ask.jobs?.get(model);
  if (known !== undefined) return known;
  const { fields, body, tenant, promptTokens, answerTokens } = ask;
  const { session, cacheSalt, spans, knownTextBytes = 0, totalTextBytes, stream } = fields;
  fingerprinter.begin(cacheSalt === undefined ? [model] : [model, cacheSalt]);
  if (spans.tools !== undefined) fingerprinter.lead(body, spans.tools.start, spans.tools.end);
  if (spans.prompt !== undefined) fingerprinter.push(body, spans.prompt.start, spans.prompt.end);
  const print = fingerprinter.end();
  const job: Job = {
    print,
    promptTokens,
    answerTokens,
    session: session === undefined ? 0 : sessionKey(tenant, session),
    knownBytes: totalTextBytes === 0 ? 0 : (print.bytes * knownTextBytes) / totalTextBytes,
    stream,
  };
  ask.jobs ??= new Map();
  ask.jobs.set(model, job);
  return job;
}

/** Nobody's names for conversations meet another tenant's. Never 0. */
export function sessionKey(tenant: string, session: string): number {
  return hashOfText(`${tenant}\n${session}`) || 1;
}
