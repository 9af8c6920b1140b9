// The admin listener, opened beside the main one and closed after it, so that a stop can be watched to its end.
import type { Clock } from '../clock.ts';
import type { Address, AdminSettings, Fleet } from '../fleet/fleet.ts';
import { type AdminActions, createAdminApp } from '../http/admin.ts';
import type { AdminReads } from '../http/admin-reads.ts';
import { OpenSockets } from '../http/open-sockets.ts';
import type { Operations } from '../http/operations.ts';
import { createExchange } from '../http/secure.ts';
import { createServer, listen } from '../http/server.ts';
import { describeCause, type Logger } from '../log.ts';
import type { CertificateWatch } from '../metrics/certificates.ts';

export interface Admin {
  readonly address: Address | undefined;
  /** Shows its certificate from now on. */
  apply(fleet: Fleet): void;
  close(): Promise<void>;
}

export interface OpenAdminParts {
  readonly fleet: () => Fleet;
  readonly operations: Operations;
  readonly reads: AdminReads;
  readonly actions: AdminActions;
  readonly clock: Clock;
  readonly log: Logger;
  readonly certificates: CertificateWatch;
}

/** The address that the fleet file names for the admin listener can't be had. */
export class AdminListenFailure extends Error {
  readonly listen: Address;

  constructor(listen: Address, cause: unknown) {
    super('the admin listener could not be opened', { cause });
    this.name = 'AdminListenFailure';
    this.listen = listen;
  }
}

const headTimeoutMs = 10_000;
const bodyTimeoutMs = 10_000;

/** @throws AdminListenFailure where the address was chosen; where it was not, the router does without. */
export async function openAdmin(settings: AdminSettings | undefined, parts: OpenAdminParts): Promise<Admin> {
  if (settings === undefined) return none;
  const { fleet, operations, reads, actions, clock, log, certificates } = parts;
  const app = createAdminApp({
    operations,
    reads,
    actions,
    clock,
    // A file that now says `off` needs a restart for that; its token and hosts count no more.
    access: () => fleet().admin ?? { allowedHosts: settings.allowedHosts },
    failed: (error, requestId) =>
      log.error({ request_id: requestId, cause: describeCause(error.cause) }, 'admin request failed'),
  });
  const sockets = new OpenSockets(clock);
  const server = createServer(app, { sockets, headTimeoutMs, bodyTimeoutMs, tls: settings.tls });
  const exchange = createExchange(server, settings.tls);
  try {
    const address = await listen(server, settings.listen);
    certificates.expires('admin', settings.tls?.expiresAtMs);
    return {
      address,
      apply({ admin }) {
        if (settings.tls === undefined) return;
        exchange(admin?.tls);
        certificates.expires('admin', admin?.tls?.expiresAtMs);
      },
      close: () =>
        new Promise((resolve) => {
          server.close(() => resolve());
          server.closeAllConnections();
          sockets.closeUnused();
        }),
    };
  } catch (cause) {
    if (settings.isChosen) throw new AdminListenFailure(settings.listen, cause);
    const { host, port } = settings.listen;
    log.warn(`no admin listener: ${host}:${port} is taken, perhaps by another router (admin.listen)`);
    return none;
  }
}

const none: Admin = { address: undefined, apply() {}, close: () => Promise.resolve() };
