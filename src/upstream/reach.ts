// Whether a URL can be connected to at all, one step after the other: its name, a connection, TLS. For people who look for
// what is wrong; requests go by connections.ts.
import dns from 'node:dns/promises';
import net, { type Socket } from 'node:net';
import tls from 'node:tls';
import { hostAndPort } from '../fleet/address-of-url.ts';
import type { BackendTls } from '../fleet/tls.ts';
import { tlsOptions } from './tls-options.ts';

/** `code`: Node's own word for it, such as ECONNREFUSED, or `timeout`. */
export type Step = { readonly ok: true } | { readonly ok: false; readonly code: string };

export interface Reach {
  readonly host: string;
  readonly port: number;
  readonly dns: Step;
  /** Absent: it did not come to that. */
  readonly tcp?: Step;
  /** Absent for `http://` too. */
  readonly tls?: Step;
}

export async function reach(target: string, wishes: BackendTls | undefined, timeoutMs: number): Promise<Reach> {
  const { host, port } = hostAndPort(target);
  const named = await within(timeoutMs, dns.lookup(host));
  if (!named.ok) return { host, port, dns: named };
  const connected = await connect(net.connect({ host, port }), 'connect', timeoutMs);
  if (!connected.ok || !target.startsWith('https:')) return { host, port, dns: named, tcp: connected };
  const servername = net.isIP(host) === 0 ? { servername: host } : {};
  const secured = await connect(
    tls.connect({ host, port, ...servername, ...tlsOptions(wishes) }),
    'secureConnect',
    timeoutMs,
  );
  return { host, port, dns: named, tcp: connected, tls: secured };
}

async function connect(socket: Socket, event: 'connect' | 'secureConnect', timeoutMs: number): Promise<Step> {
  const opened = new Promise<void>((resolve, reject) => {
    socket.once(event, resolve);
    socket.once('error', reject);
    socket.once('close', () => reject(Object.assign(new Error('closed'), { code: 'ECONNRESET' })));
  });
  // Also for what comes after the time is over.
  socket.on('error', () => {});
  const step = await within(timeoutMs, opened);
  socket.destroy();
  return step;
}

async function within(timeoutMs: number, work: Promise<unknown>): Promise<Step> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Step>((resolve) => {
    timer = setTimeout(resolve, timeoutMs, { ok: false, code: 'timeout' });
  });
  const done = work.then(
    (): Step => ({ ok: true }),
    (cause: unknown): Step => ({ ok: false, code: codeOf(cause) }),
  );
  return Promise.race([done, late]).finally(() => clearTimeout(timer));
}

function codeOf(cause: unknown): string {
  // Several addresses were tried: what the first of them said.
  if (cause instanceof AggregateError && !('code' in cause)) return codeOf(cause.errors[0]);
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : 'failed';
}
