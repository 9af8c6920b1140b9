// What orchestrators and Prometheus ask: alive, ready, metrics. No key needed, and nothing about the fleet in the body.
import type Router from '@koa/router';
import type { Context } from 'koa';
import { GatewayError } from '../errors.ts';

export interface Operations {
  /** `stopping`: still serving, but new connections should go elsewhere. `closing`: nothing new is taken. */
  phase(): 'ready' | 'stopping' | 'closing';
  /** Whether every backend has been asked for its models once. */
  discovered(): boolean;
  /** Which backends and models there are, for `/readyz?verbose`; absent: that is not told on this port. */
  details?(): object;
  /** Prometheus text; undefined when not offered on this port. */
  metrics(): Promise<{ readonly contentType: string; readonly text: string }> | undefined;
}

export function addOperations(router: Router, operations: Operations): void {
  router.get('/livez', (ctx: Context) => {
    ctx.state.uncounted = true;
    ctx.body = { status: 'alive' };
  });
  router.get('/readyz', (ctx: Context) => {
    ctx.state.uncounted = true;
    const refusal = whyNotReady(operations);
    const details = ctx.query.verbose === undefined ? undefined : operations.details?.();
    if (refusal !== undefined && details === undefined) throw refusal;
    ctx.status = refusal?.status ?? 200;
    const status = refusal === undefined ? { status: 'ready' } : { status: 'not ready', why: refusal.message };
    ctx.body = { ...status, ...details };
  });
  router.get('/metrics', async (ctx: Context) => {
    ctx.state.uncounted = true;
    const metrics = await operations.metrics();
    if (metrics === undefined)
      throw new GatewayError('not_found', 'Metrics are not offered on this port (server.metrics).');
    ctx.set('content-type', metrics.contentType);
    ctx.body = metrics.text;
  });
}

function whyNotReady(operations: Operations): GatewayError | undefined {
  if (operations.phase() !== 'ready') return new GatewayError('draining', 'This router is stopping.');
  return operations.discovered()
    ? undefined
    : new GatewayError('no_backend', 'The backends are still being asked for their models.');
}
