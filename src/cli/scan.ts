// Looks for inference servers on the ports where they usually listen: a connection first, and questions only where there is one.
import { fleetFromUrls } from '../config/load.ts';
import type { Engine } from '../engines/engine.ts';
import { engines } from '../engines/index.ts';
import { examineFleet, type Examined } from './examine-fleet.ts';

/** Servers that speak the API and are not told apart: LM Studio, text-generation-webui and TabbyAPI, KoboldCpp, Jan, NIM. */
const otherPorts = [1234, 1337, 5000, 5001, 8010, 8082, 9000];
const scanTimeoutMs = 3_000;

export interface Found {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly engine: string;
  readonly models: readonly string[];
}

export interface Scan {
  /** In the order of hosts and ports. */
  readonly found: readonly Found[];
  /** What wants a token before it says what it is. */
  readonly locked: readonly Found[];
  /** URLs of Switchyards. */
  readonly routers: readonly string[];
}

export const usualPorts: readonly number[] = [
  ...new Set([...Object.values<Engine>(engines).flatMap(({ setup }) => setup?.ports ?? []), ...otherPorts]),
].toSorted((a, b) => a - b);

/** `HOST` for all the usual ports, `HOST:PORT` for one. Undefined: not such a text. */
export function urlsOf(target: string): readonly string[] | undefined {
  const [, host, port] = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9][A-Za-z0-9._-]*)(?::(\d{1,5}))?$/.exec(target) ?? [];
  if (host === undefined || Number(port ?? 1) > 65_535 || port === '0') return undefined;
  return (port === undefined ? usualPorts : [Number(port)]).map((one) => `http://${host}:${one}`);
}

export async function scan(targets: readonly string[]): Promise<Scan> {
  const urls = [...new Set(targets.flatMap((target) => urlsOf(target) ?? []))];
  // Port 0: what is found on the port that a router would take is no router.
  const loaded = fleetFromUrls(urls, { env: {}, listen: '127.0.0.1:0', adminListen: 'off' });
  if ('problems' in loaded) return { found: [], locked: [], routers: [] };
  const { examined } = await examineFleet(loaded.fleet, { timeoutMs: scanTimeoutMs });
  return {
    found: examined.filter(({ examination: { engine, isRouter } }) => engine !== undefined && !isRouter).map(foundOf),
    locked: examined
      .filter(({ examination: { engine, auth, isRouter } }) => engine === undefined && auth === 'refused' && !isRouter)
      .map(foundOf),
    routers: examined.filter(({ examination }) => examination.isRouter).map(({ backend }) => backend.url ?? ''),
  };
}

function foundOf({ backend, examination, models }: Examined): Found {
  const url = new URL(backend.url ?? '');
  return {
    url: backend.url ?? '',
    host: url.hostname,
    port: Number(url.port || 80),
    engine: examination.engine ?? 'auto',
    // Names come from servers, and go to terminals.
    models: models.map((name) => name.replaceAll(/\p{Cc}/gu, ' ')),
  };
}
