// The Koa application: what callers can reach, and the order in which a request is looked at.
import Router from '@koa/router';
import Koa, { type Context, type Middleware } from 'koa';
import type { Caller } from '../access/keyring.ts';
import { endpoints } from '../endpoints/index.ts';
import { GatewayError, toGatewayError } from '../errors.ts';
import type { Exchange } from '../routing/exchange.ts';
import type { ExchangeSettled, Observer } from '../routing/ports.ts';
import type { Snapshots } from '../routing/snapshot.ts';
import { authenticate } from './authenticate.ts';
import { describe, describeUnrouted } from './describe.ts';
import { sendError } from './error-response.ts';
import { harden } from './harden.ts';
import { createInference, type InferenceParts, requestIdOf } from './inference.ts';
import { findModel, listModels } from './models.ts';
import { type Operations, addOperations } from './operations.ts';
import { decodePathPart } from './path-part.ts';
import { unroutedTiming } from './server-timing.ts';
import { unrouted } from './unrouted.ts';

export interface AppParts extends InferenceParts {
  readonly snapshots: Snapshots;
  readonly observer: Observer;
  readonly operations: Operations;
  /** Unix milliseconds. */
  readonly wallClock: () => number;
}

export function createApp(parts: AppParts): Koa {
  const app = new Koa();
  // Failures are answered and counted here; Koa's own printing would show what must not be seen.
  app.silent = true;
  app.use(answerFailures(parts));
  app.use(refuseWhileStopping(parts.operations));
  app.use(harden);
  app.use(requireKey(parts));
  const inference = inferenceByPath(parts);
  app.use(answerDirectly(inference));
  app.use(createRouter(parts, inference).routes());
  app.use(unrouted('There is nothing at this path. The API is below /v1.'));
  return app;
}

type Answer = (ctx: Context) => Promise<void>;

function inferenceByPath(parts: InferenceParts): ReadonlyMap<string, Answer> {
  const infer = createInference(parts);
  return new Map(
    Object.values(endpoints).map((endpoint) => [
      endpoint.path,
      (ctx) => {
        ctx.state.endpoint = endpoint.name;
        return infer(ctx, endpoint, callerOf(ctx), ctx.state.requestId);
      },
    ]),
  );
}

/** Nearly everything comes to the paths of inference: the router's search through its patterns is for the rest. */
function answerDirectly(inference: ReadonlyMap<string, Answer>): Middleware {
  return (ctx, next) => (ctx.method === 'POST' ? inference.get(ctx.path) : undefined)?.(ctx) ?? next();
}

function createRouter(parts: AppParts, inference: ReadonlyMap<string, Answer>): Router {
  const router = new Router({ sensitive: true, strict: true });
  const createdSeconds = Math.floor(parts.wallClock() / 1000);
  for (const [path, answer] of inference) router.post(path, answer);
  router.get('/v1/models', (ctx: Context) => {
    ctx.state.endpoint = 'models';
    ctx.body = listModels(parts.snapshots.current(), callerOf(ctx), createdSeconds);
    settleUnrouted(parts, ctx, undefined);
  });
  router.get(/^\/v1\/models\/(.+)$/, (ctx: Context) => {
    ctx.state.endpoint = 'models';
    ctx.body = findModel(
      parts.snapshots.current(),
      callerOf(ctx),
      decodePathPart(ctx.path.slice('/v1/models/'.length), 'model id'),
      createdSeconds,
    );
    settleUnrouted(parts, ctx, undefined);
  });
  addOperations(router, parts.operations);
  return router;
}

/** Outermost: gives every answer its id, turns whatever is thrown into one answer, and counts it. */
function answerFailures(parts: AppParts): Middleware {
  return async (ctx, next) => {
    ctx.state.requestId = requestIdOf(ctx);
    ctx.state.arrivedMs = parts.clock.now();
    try {
      await next();
      if (!ctx.res.headersSent) introduce(ctx, parts.clock.now());
    } catch (thrown) {
      const error = toGatewayError(thrown);
      if (!ctx.res.headersSent) introduce(ctx, parts.clock.now());
      settleUnrouted(parts, ctx, error);
      ctx.respond = false;
      if (ctx.res.headersSent || ctx.res.destroyed) ctx.res.destroy();
      else sendError(ctx.req, ctx.res, error, parts.clock);
    }
  };
}

/** What the pipeline has not answered itself is described here. */
function introduce(ctx: Context, nowMs: number): void {
  const exchange: Exchange | undefined = ctx.state.exchange;
  const description = exchange === undefined ? describeUnrouted(ctx.state.requestId) : describe(exchange, nowMs);
  for (const [name, value] of description) ctx.res.setHeader(name, value);
  if (exchange === undefined && isApi(ctx))
    ctx.res.setHeader('server-timing', unroutedTiming(nowMs - ctx.state.arrivedMs));
}

function isApi({ path }: Context): boolean {
  return path === '/v1' || path.startsWith('/v1/');
}

/** Counts what did not get as far as the pipeline; the pipeline counts for itself. */
function settleUnrouted({ observer, clock }: AppParts, ctx: Context, error: GatewayError | undefined): void {
  const exchange: Exchange | undefined = ctx.state.exchange;
  if (exchange?.settled === true || ctx.state.uncounted === true) return;
  const caller: Caller | undefined = ctx.state.caller;
  const event: ExchangeSettled = {
    requestId: ctx.state.requestId,
    endpoint: ctx.state.endpoint ?? 'other',
    tenant: caller?.tenant ?? 'none',
    model: undefined,
    backend: undefined,
    attempts: 0,
    outcome: error?.row.type ?? 'ok',
    error,
    status: error?.status ?? 200,
    stream: false,
    durationMs: clock.now() - ctx.state.arrivedMs,
    queuedMs: 0,
    firstTokenMs: undefined,
    usage: undefined,
    contentEvents: 0,
    limitsDegraded: false,
    traceId: exchange?.trace?.id,
  };
  observer.settled(event);
  exchange?.trace?.ended(event);
}

/** All of /v1 needs a caller, known path or not. */
function requireKey({ snapshots, wallClock }: AppParts): Middleware {
  return (ctx, next) => {
    if (isApi(ctx)) ctx.state.caller = authenticate(snapshots.current().keyring, ctx.req, wallClock());
    return next();
  };
}

function refuseWhileStopping(operations: Operations): Middleware {
  return (ctx, next) => {
    if (operations.phase() !== 'ready') ctx.res.setHeader('connection', 'close');
    if (operations.phase() === 'closing')
      throw new GatewayError('draining', 'This router is stopping. Send the request again.');
    return next();
  };
}

function callerOf(ctx: Context): Caller {
  return ctx.state.caller;
}
