// Until when the certificates of the router's own ports are valid, so that somebody is told before they are not.
import { Gauge, type Registry } from 'prom-client';

export interface CertificateWatch {
  /** Unix milliseconds; undefined: this port speaks plain HTTP. */
  expires(listener: 'callers' | 'admin', atMs: number | undefined): void;
}

export function watchCertificates(registry: Registry): CertificateWatch {
  const expiry = new Gauge({
    name: 'switchyard_tls_certificate_expiry_timestamp_seconds',
    help: 'When the certificate that a port of the router shows ceases to be valid',
    labelNames: ['listener'],
    aggregator: 'max',
    registers: [registry],
  });
  return {
    expires(listener, atMs) {
      if (atMs !== undefined) expiry.set({ listener }, Math.floor(atMs / 1000));
    },
  };
}
