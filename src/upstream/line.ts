// One client of a pool: it has one socket at a time, and tells the request that it carries which one. undici itself does
// not say, and without it nobody could tell when a socket is really closed, or close one that is still connecting.
import { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { type buildConnector, Client } from 'undici';
import { Call } from './call.ts';

export interface LineParts {
  /** Of its pool. */
  readonly options: object;
  readonly open: buildConnector.connector;
  /** Told of each new socket. */
  readonly count: () => void;
}

export function openLine(origin: URL, { options, open, count }: LineParts): Client {
  let socket: Socket | undefined;
  const line = new Client(origin, {
    ...options,
    connect(wishes, done) {
      count();
      // The connector is typed as if it gave nothing back; what it gives is the socket, not connected yet.
      const opened: unknown = open(wishes, done);
      socket = opened instanceof Socket ? opened : undefined;
      if (opened instanceof TLSSocket) endOnError(opened);
    },
  });
  const dispatch = line.dispatch.bind(line);
  line.dispatch = (wishes, handler) => {
    if (handler instanceof Call) handler.socket = () => socket;
    return dispatch(wishes, handler);
  };
  return line;
}

/** An alert of the other side is told as an error, and then, where its end comes with it, undici takes that for the cause. */
function endOnError(socket: TLSSocket): void {
  socket.once('error', (error) => socket.destroy(error));
}
