// nginx and HAProxy as they are described in deploy/, with only addresses, certificates and the port changed, in front of
// routers on loopback.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import { run } from '../real/run.ts';
import { makeCertificates } from '../support/redis/certificates.ts';
import { freePort } from '../support/redis/free-port.ts';
import { until } from '../support/redis/until.ts';
import { type Ca, get } from './https.ts';
import { textOf } from './manifests.ts';

export type FrontName = 'nginx' | 'haproxy';

export interface Front extends Ca {
  readonly port: number;
  readonly stop: () => Promise<void>;
}

const readyWithinMs = 20_000;

/** Listens, and a router is behind it, when the promise resolves. */
export async function startFront(name: FrontName, routers: readonly [number, number]): Promise<Front> {
  const dir = mkdtempSync(join(tmpdir(), `switchyard-${name}-`));
  const { caFile, certFile, keyFile } = await makeCertificates(dir);
  const port = await freePort();
  const both = join(dir, 'both.pem');
  writeFileSync(both, readFileSync(certFile, 'utf8') + readFileSync(keyFile, 'utf8'));
  const addresses: readonly Change[] = [
    ['10.0.0.21:8000', `127.0.0.1:${routers[0]}`],
    ['10.0.0.22:8000', `127.0.0.1:${routers[1]}`],
  ];
  const described = describeFront(name, { dir, port, certFile, keyFile, both, addresses });
  // What `-t` and `-c` say of it is the first thing to know.
  await run(described.program, described.check);
  const child = spawn(described.program, described.start, { stdio: ['ignore', 'pipe', 'pipe'] });
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => said.push(text.toString()));
  const front: Front = { port, ca: readFileSync(caFile, 'utf8'), stop: () => stop(child, dir) };
  try {
    await until(`${name} is ready`, readyWithinMs, async () => (await get(front, '/readyz')).status === 200);
  } catch (cause) {
    await front.stop();
    throw new Error(`${name}: ${said.join('').slice(-4_000)}`, { cause });
  }
  return front;
}

type Change = readonly [from: string, to: string];

interface Places {
  readonly dir: string;
  readonly port: number;
  readonly certFile: string;
  readonly keyFile: string;
  readonly both: string;
  readonly addresses: readonly Change[];
}

interface Described {
  readonly program: string;
  readonly check: readonly string[];
  readonly start: readonly string[];
}

function describeFront(name: FrontName, places: Places): Described {
  const tools = inject('deployTools');
  const path = join(places.dir, `${name}.cfg`);
  if (name === 'haproxy') {
    const bind: Change = [
      ':443 ssl crt /etc/haproxy/tls/switchyard.pem',
      `127.0.0.1:${places.port} ssl crt ${places.both}`,
    ];
    writeFileSync(path, changed(textOf('deploy/haproxy/haproxy.cfg'), [...places.addresses, bind]));
    return { program: tools.haproxy, check: ['-c', '-f', path], start: ['-db', '-f', path] };
  }
  const site = join(places.dir, 'site.conf');
  writeFileSync(
    site,
    changed(textOf('deploy/nginx/switchyard.conf'), [
      ...places.addresses,
      ['listen 443 ssl;', `listen 127.0.0.1:${places.port} ssl;`],
      ['listen [::]:443 ssl;', ''],
      ['/etc/nginx/tls/switchyard.pem', places.certFile],
      ['/etc/nginx/tls/switchyard.key', places.keyFile],
    ]),
  );
  writeFileSync(path, nginxAround(site, places.dir));
  return { program: tools.nginx, check: ['-t', '-q', '-c', path], start: ['-c', path] };
}

/** What a distribution's nginx.conf has around a file of conf.d, within one directory and without a daemon. */
function nginxAround(site: string, dir: string): string {
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${dir}/${kind};`);
  // Workers of root would otherwise be somebody who may not look into the directory.
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  return `${user} daemon off; pid ${dir}/pid; error_log stderr; worker_processes 1; events {}
http { access_log off; ${paths.join(' ')} include ${site}; }
`;
}

/** @throws Error when what is to be changed is not there, once or more. */
function changed(text: string, changes: readonly Change[]): string {
  return changes.reduce((done, [from, to]) => {
    if (!done.includes(from)) throw new Error(`nothing to change: ${from}`);
    return done.replaceAll(from, to);
  }, text);
}

async function stop(child: ChildProcess, dir: string): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const { promise, resolve } = Promise.withResolvers<void>();
    child.once('exit', () => resolve());
    // nginx takes it for "at once" and ends its workers, which SIGKILL would leave behind.
    child.kill('SIGTERM');
    await promise;
  }
  rmSync(dir, { recursive: true });
}
