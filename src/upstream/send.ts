// One request on undici's low-level dispatch: no stream, promise or copy per chunk.
import type { Upstream } from '../routing/ports.ts';
import { Call } from './call.ts';
import type { Connections } from './connections.ts';

export function createUpstream(connections: Connections): Upstream {
  return {
    send(backend, request, handler) {
      const connection = connections.to(backend);
      const { dispatcher, fresh, prefix } = connection;
      const options = {
        path: prefix + request.path,
        method: 'POST',
        headers: request.headers.flat(),
        body: request.body,
      } as const;
      const call = new Call(handler);
      const before = connection.opened();
      dispatcher.dispatch(options, call);
      if (connection.opened() === before) call.again = { dispatcher: fresh, options };
      return call;
    },
  };
}
