// Asks the admin listener of a running router, and says in one line what came in the way.
import type { Env } from '../config/interpolate.ts';
import { objectOf, textOf } from '../wire/json-value.ts';
import { type AdminOptions, adminAddress, adminToken } from './admin-address.ts';

export interface Answer {
  readonly status: number;
  /** As it came. */
  readonly text: string;
  /** Parsed; control characters are left out of its strings, because names come from backends and go to terminals. */
  readonly json: unknown;
  readonly etag: string | undefined;
}

/** `problem`: one line for people. */
export interface Refusal {
  readonly problem: string;
  readonly exitCode: number;
}

export interface Admin {
  readonly url: string;
  /** Anything but a 2xx or 304 is a refusal, unless `also` names the status. */
  get(path: string, options?: AskOptions): Promise<Answer | Refusal>;
  /** With the token. */
  post(path: string, options?: AskOptions): Promise<Answer | Refusal>;
}

export interface AskOptions {
  /** Answers that are wanted too, such as a 422 with problems in it. */
  readonly also?: number;
  readonly etag?: string | undefined;
  readonly timeoutMs?: number;
  /** Gives up at once. */
  readonly signal?: AbortSignal;
}

export const refused = 1;
export const unreachable = 5;

const timeoutMsDefault = 10_000;

export function openAdmin(options: AdminOptions, env: Env): Admin | Refusal {
  const address = adminAddress(options, env);
  if ('problem' in address) return { ...address, exitCode: unreachable };
  const { url, from } = address;

  async function ask(
    method: 'GET' | 'POST',
    path: string,
    asked: AskOptions,
    token?: string,
  ): Promise<Answer | Refusal> {
    const { also, etag, timeoutMs = timeoutMsDefault, signal } = asked;
    const deadline = AbortSignal.timeout(timeoutMs);
    let response: Response;
    let text: string;
    try {
      response = await fetch(url + path, {
        method,
        redirect: 'manual',
        signal: signal === undefined ? deadline : AbortSignal.any([deadline, signal]),
        headers: {
          accept: 'application/json',
          ...(etag === undefined ? {} : { 'if-none-match': etag }),
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
      });
      text = await response.text();
    } catch (cause) {
      const why = deadline.aborted ? `no answer within ${timeoutMs / 1_000} s` : whyNot(cause);
      const problem = `Cannot ask the router at ${url} (${from}): ${why}. Is it running? --admin URL names another address.`;
      return { problem, exitCode: unreachable };
    }
    const json = parseClean(text);
    const { status } = response;
    if ((response.ok && json !== undefined) || status === 304 || status === also)
      return { status, text, json, etag: response.headers.get('etag') ?? undefined };
    return refusal({ status, json, hasToken: token !== undefined });
  }

  function refusal({ status, json, hasToken }: Refused): Refusal {
    const said = textOf(objectOf(objectOf(json)?.error)?.message);
    if (said === undefined) {
      const problem = `${url} (${from}) answered ${status}, and not as a router does: is this its admin listener?`;
      return { problem, exitCode: unreachable };
    }
    if (status !== 401) return { problem: `The router at ${url} refuses: ${said}`, exitCode: refused };
    const problem = hasToken
      ? `The router at ${url} does not accept this admin token.`
      : `The router at ${url} wants its admin token: --token-file FILE, SWITCHYARD_ADMIN_TOKEN, or -c with its fleet file.`;
    return { problem, exitCode: refused };
  }

  return {
    url,
    get: (path, asked = {}) => ask('GET', path, asked),
    async post(path, asked = {}) {
      const found = adminToken(options, env);
      if (found !== undefined && 'problem' in found) return { problem: `${found.problem}.`, exitCode: refused };
      return ask('POST', path, asked, found?.token);
    },
  };
}

interface Refused {
  readonly status: number;
  readonly json: unknown;
  readonly hasToken: boolean;
}

/** Writes the one line; returns the exit code. */
export function tell({ problem, exitCode }: Refusal): number {
  process.stderr.write(`switchyard: ${problem}\n`);
  return exitCode;
}

function whyNot(cause: unknown): string {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  const code = inner instanceof Error && 'code' in inner && typeof inner.code === 'string' ? inner.code : undefined;
  const words: Readonly<Record<string, string>> = {
    ECONNREFUSED: 'connection refused',
    ENOTFOUND: 'no such host',
    EAI_AGAIN: 'its name could not be looked up',
    EHOSTUNREACH: 'no way to this host',
    ENETUNREACH: 'no way to this network',
    ECONNRESET: 'the connection was closed',
    UND_ERR_SOCKET: 'the connection was closed',
  };
  return words[code ?? ''] ?? code ?? (inner instanceof Error ? inner.message : String(inner));
}

function parseClean(text: string): unknown {
  try {
    return JSON.parse(text, (_key, value: unknown) =>
      typeof value === 'string' ? value.replaceAll(/\p{Cc}/gu, ' ') : value,
    );
  } catch {
    return undefined;
  }
}
