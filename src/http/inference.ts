// One inference request over HTTP: from headers to an exchange, from bytes to fields, and into the pipeline.
import { randomUUID } from 'node:crypto';
import type { Context } from 'koa';
import type { Caller } from '../access/keyring.ts';
import type { Room } from '../admission/room.ts';
import type { Clock } from '../clock.ts';
import type { Endpoint } from '../endpoints/endpoint.ts';
import { GatewayError } from '../errors.ts';
import { Exchange } from '../routing/exchange.ts';
import type { HeaderList, TraceStart } from '../routing/ports.ts';
import type { Route } from '../routing/route.ts';
import { isReservedHeader } from '../wire/reserved-headers.ts';
import { announcedBytes, type BodyLimits, readRequestBody } from './body.ts';
import { describe } from './describe.ts';
import { hopHeader, hopsThrough } from './hops.ts';
import { CallerReply } from './reply.ts';
import type { Running } from './running.ts';

export interface InferenceParts {
  readonly route: Route;
  readonly clock: Clock;
  readonly limits: BodyLimits;
  /** Whether the router itself can take another request: asked before the body is read. */
  readonly room: Room;
  /** What is being answered now; a drain ends what is left in here. */
  readonly running: Running<CallerReply>;
  /** A request was accepted; the function returned says that it is over. */
  accepted(endpoint: string): () => void;
  /** A word for this process that no other has, in lower-case letters and digits. */
  readonly routerId: string;
  /** Lower-case names passed on beside the built-in ones. */
  readonly forwardHeaders: () => readonly string[];
  /** Undefined: nobody follows requests. */
  readonly trace: TraceStart | undefined;
}

/** A request with its body. */
interface Received {
  readonly endpoint: Endpoint;
  readonly exchange: Exchange;
  readonly reply: CallerReply;
  readonly body: Buffer;
  /** Of the header by that name. */
  readonly hops: string;
}

/** The answer is written to `ctx.res` by the pipeline; what is thrown before anything left is answered by the app. */
export function createInference(parts: InferenceParts) {
  const allowed = allowList(parts.forwardHeaders);
  return async function infer(ctx: Context, endpoint: Endpoint, caller: Caller, requestId: string): Promise<void> {
    const exchange = new Exchange(requestId, endpoint.name, caller, parts.clock.now());
    const reply = new CallerReply(ctx.res, {
      clock: parts.clock,
      describe: () => describe(exchange, parts.clock.now()),
    });
    ctx.state.exchange = exchange;
    exchange.trace = parts.trace?.(ctx.req.headers, endpoint);
    const over = parts.accepted(endpoint.name);
    parts.running.add(reply);
    try {
      await serve(ctx, endpoint, exchange, reply);
    } finally {
      parts.running.remove(reply);
      over();
    }
  };

  async function serve(ctx: Context, endpoint: Endpoint, exchange: Exchange, reply: CallerReply): Promise<void> {
    const hops = hopsThrough(oneOf(ctx.req.headers[hopHeader]), parts.routerId);
    const { limits, clock } = parts;
    const announced = announcedBytes(ctx.req, limits);
    const guest = parts.room.enter(exchange.caller.tenant, announced);
    try {
      const received = (bytes: number) => guest.received(bytes);
      const body = await readRequestBody(ctx.req, ctx.res, { limits, clock, announced, received });
      exchange.timings.received(parts.clock.now());
      await answer(ctx, { endpoint, exchange, reply, body, hops });
    } finally {
      guest.leave();
    }
  }

  async function answer(ctx: Context, { endpoint, exchange, reply, body, hops }: Received): Promise<void> {
    const fields = endpoint.read(body);
    if (fields.stream && !endpoint.streams)
      throw new GatewayError('invalid_request', `"stream" is not available on ${endpoint.path}.`);
    exchange.timings.parsed(parts.clock.now());
    const headers = [...forwarded(ctx, allowed()), [hopHeader, hops] as const];
    const session = oneOf(ctx.req.headers[sessionHeader]) || fields.session;
    const named = session === undefined ? {} : { session };
    const request = { ...fields, ...named, endpoint: endpoint.name, body, headers };
    ctx.respond = false;
    try {
      await parts.route(exchange, request, reply);
    } catch (failure) {
      if (!ctx.res.headersSent) {
        ctx.respond = true;
        throw failure;
      }
    }
  }
}

/** Names the conversation that a request belongs to; counts more than what its body calls it. */
const sessionHeader = 'x-session-id';

export function requestIdOf(ctx: Context): string {
  const given = ctx.req.headers['x-request-id'];
  return typeof given === 'string' && /^[A-Za-z0-9._-]{1,128}$/.test(given) ? given : randomUUID();
}

const alwaysForwarded = ['content-type', 'accept', 'user-agent', 'traceparent', 'tracestate'];

/** Set here, or what makes engines behave differently; a fleet file may name them, without effect. */
const refused = new Set([
  'accept-encoding',
  'content-encoding',
  'x-request-id',
  hopHeader,
  // Ollama and LocalAI refuse foreign origins; llama-server keeps generating for a named conversation after a hang-up.
  'origin',
  'x-conversation-id',
]);

/** Made anew only when a reload has brought another list. */
function allowList(configured: () => readonly string[]): () => ReadonlySet<string> {
  let from: readonly string[] | undefined;
  let allowed: ReadonlySet<string> = new Set();
  return () => {
    const now = configured();
    if (now !== from) allowed = new Set([...alwaysForwarded, ...now].filter((name) => !neverForwarded(name)));
    from = now;
    return allowed;
  };
}

function neverForwarded(name: string): boolean {
  return isReservedHeader(name) || refused.has(name) || name.startsWith('sec-fetch-');
}

function forwarded({ req }: Context, allowed: ReadonlySet<string>): HeaderList {
  const list: [string, string][] = [];
  for (const name of allowed) {
    const value = req.headers[name];
    if (value !== undefined) list.push([name, oneOf(value)]);
  }
  return list;
}

function oneOf<Value extends string | undefined>(value: Value | string[]): Value | string {
  return Array.isArray(value) ? value.join(', ') : value;
}
