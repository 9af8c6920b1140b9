// What orchestrators and Prometheus ask: alive, ready, metrics. No key needed, and nothing about the fleet in the body.
import type Router from '@koa/router';
import type { Context } from 'koa';
import { GatewayError } from '../errors.ts';

export interface Operations {
  /** `stopping`: still serving, but new connections should go elsewhere. `closing`: nothing new is taken. */
  phase(): 'ready' | 'stopping' | 'closing';
  /** Whether every backend has been asked for its models once. */
  discovered(): boolean;
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
    if (operations.phase() !== 'ready') throw new GatewayError('draining', 'This router is stopping.');
    if (!operations.discovered())
      throw new GatewayError('no_backend', 'The backends are still being asked for their models.');
    ctx.body = { status: 'ready' };
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
