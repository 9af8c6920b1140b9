// Tells the log when a backend cannot be connected to over TLS, what to do about it, and when it can be again: once each, where
// every probe finds the same.
import { describeTlsTrouble, type TlsTrouble } from '../fleet/tls.ts';
import type { Logger } from '../log.ts';

export interface HandshakeWatch {
  shookHands(backend: string, trouble: TlsTrouble | undefined): void;
  /** It has left the fleet. */
  forget(backend: string): void;
}

export function watchHandshakes(log: Logger): HandshakeWatch {
  const troubled = new Map<string, TlsTrouble>();
  return {
    shookHands(backend, trouble) {
      if (troubled.get(backend) === trouble) return;
      if (trouble === undefined) {
        troubled.delete(backend);
        log.info({ backend, tls: 'ok' }, 'backend can be connected to over TLS');
      } else {
        troubled.set(backend, trouble);
        log.warn({ backend, tls: trouble }, describeTlsTrouble(backend, trouble));
      }
    },
    forget: (backend) => void troubled.delete(backend),
  };
}
