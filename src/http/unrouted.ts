// What no route has answered: a path that is there for other methods, or nothing at all.
import type { Middleware } from 'koa';
import { GatewayError } from '../errors.ts';

export function unrouted(notFound: string): Middleware {
  return (ctx) => {
    const matched: readonly { readonly methods: readonly string[] }[] = ctx.matched ?? [];
    const allowed = [...new Set(matched.flatMap(({ methods }) => methods))].toSorted();
    if (allowed.length > 0 && ctx.method !== 'OPTIONS') {
      const message = `${ctx.method} is not possible here; use ${allowed.join(' or ')}.`;
      throw new GatewayError('method_not_allowed', message, { headers: { allow: allowed.join(', ') } });
    }
    throw new GatewayError('not_found', notFound);
  };
}
