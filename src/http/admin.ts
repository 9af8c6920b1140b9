// The admin listener: what the router tells about itself, and the few things it can be told to do. A port of its own, on
// loopback unless the fleet file says otherwise. GET changes nothing; every POST needs the token.
import { hash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import Router from '@koa/router';
import Koa, { type Context, type Middleware } from 'koa';
import type { Clock } from '../clock.ts';
import { GatewayError, toGatewayError } from '../errors.ts';
import { type AdminReads, addReads } from './admin-reads.ts';
import { sendError } from './error-response.ts';
import { harden } from './harden.ts';
import { requestIdOf } from './inference.ts';
import { addOperations, type Operations } from './operations.ts';
import { addPage } from './page.ts';
import { decodePathPart } from './path-part.ts';
import { unrouted } from './unrouted.ts';

export interface AdminParts {
  readonly operations: Operations;
  readonly reads: AdminReads;
  readonly actions: AdminActions;
  readonly clock: Clock;
  /** As the fleet file has it now. */
  readonly access: () => AdminAccess;
  /** A bug of ours. */
  readonly failed: (error: GatewayError, requestId: string) => void;
}

export interface AdminAccess {
  /** Names that may stand in the Host header; lower case. */
  readonly allowedHosts: readonly string[];
  /** 64 hex digits; absent: nothing can be changed. */
  readonly tokenSha256?: string;
}

export interface AdminActions {
  /** Reads the fleet file again; resolves with how it ended. */
  reload(options: { readonly allowEmpty: boolean }): Promise<{ readonly result: string }>;
  /** Takes a backend out of rotation, or back into it; undefined: there is none of this name. */
  drain(backend: string, draining: boolean): { readonly state: string; readonly inFlight: number } | undefined;
}

export function createAdminApp(parts: AdminParts): Koa {
  const app = new Koa();
  app.silent = true;
  app.use(answerFailures(parts));
  app.use(harden);
  app.use(checkHost(parts));
  app.use(requireToken(parts));
  const router = new Router({ sensitive: true, strict: true });
  addOperations(router, parts.operations);
  addReads(router, parts.reads);
  addPage(router);
  router.post('/reload', async (ctx: Context) => {
    const outcome = await parts.actions.reload({ allowEmpty: ctx.query.allow_empty === 'true' });
    ctx.status = outcome.result === 'refused' ? 422 : 200;
    ctx.body = outcome;
  });
  for (const verb of ['drain', 'undrain'] as const) {
    // Names may have slashes in them.
    router.post(new RegExp(`^/backends/(.+)/${verb}$`), (ctx: Context) => {
      const backend = decodePathPart(ctx.path.slice('/backends/'.length, -verb.length - 1), 'name');
      const drained = parts.actions.drain(backend, verb === 'drain');
      if (drained === undefined) throw new GatewayError('not_found', 'No backend of the fleet has this name.');
      ctx.body = { backend, state: drained.state, in_flight: drained.inFlight };
    });
  }
  app.use(router.routes());
  app.use(unrouted('There is nothing at this path of the admin listener.'));
  return app;
}

function answerFailures({ clock, failed }: AdminParts): Middleware {
  return async (ctx, next) => {
    const requestId = requestIdOf(ctx);
    ctx.res.setHeader('x-request-id', requestId);
    ctx.res.setHeader('cache-control', 'no-store');
    try {
      await next();
    } catch (thrown) {
      const error = toGatewayError(thrown);
      if (error.code === 'internal') failed(error, requestId);
      ctx.respond = false;
      if (ctx.res.headersSent || ctx.res.destroyed) ctx.res.destroy();
      else sendError(ctx.req, ctx.res, error, clock);
    }
  };
}

/**
 * A page in somebody's browser may have its own name resolve to this address (DNS rebinding), but then it asks under that
 * name. An address can't be rebound.
 */
function checkHost({ access }: AdminParts): Middleware {
  return (ctx, next) => {
    const name = hostOf(ctx.req.headers.host ?? '');
    if (isIP(name) === 0 && !access().allowedHosts.includes(name))
      throw new GatewayError('forbidden', 'This name is not one of admin.allowed_hosts.');
    return next();
  };
}

function hostOf(header: string): string {
  const [, bracketed, plain = ''] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d{1,5})?$/.exec(header) ?? [];
  return (bracketed ?? plain).toLowerCase();
}

function requireToken({ access }: AdminParts): Middleware {
  return (ctx, next) => {
    if (ctx.method === 'GET' || ctx.method === 'HEAD') return next();
    const { tokenSha256 } = access();
    if (tokenSha256 === undefined) {
      const message =
        'Nothing can be changed here without a token; set admin.token or admin.token_file in the fleet file.';
      throw new GatewayError('forbidden', message);
    }
    const [, token] = /^bearer +(\S+) *$/i.exec(ctx.req.headers.authorization ?? '') ?? [];
    if (token === undefined || !timingSafeEqual(hash('sha256', token, 'buffer'), Buffer.from(tokenSha256, 'hex'))) {
      const headers = { 'www-authenticate': 'Bearer' };
      throw new GatewayError('unauthorized', 'The admin token is needed: send "Authorization: Bearer TOKEN".', {
        headers,
      });
    }
    return next();
  };
}
