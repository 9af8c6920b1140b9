// How TLS is spoken with a backend, as Node's sockets are told it.
import type { ConnectionOptions } from 'node:tls';
import type { BackendTls } from '../fleet/tls.ts';

export function tlsOptions(
  tls: BackendTls | undefined,
): Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'servername' | 'minVersion'> {
  const { ca, cert, key, serverName } = tls ?? {};
  return {
    minVersion: 'TLSv1.2',
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(serverName === undefined ? {} : { servername: serverName }),
  };
}
