import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { run, succeeds } from '../real/run.ts';
import { at, entriesAt, fleetOf, listAt, textAt, textOf, yamlOf } from './manifests.ts';
import { places, root } from './places.ts';

const compose = yamlOf('deploy/compose.yaml');
const services = entriesAt(compose, 'services');
const service = (name: string): unknown => at(compose, 'services', name);
const routers = ['router-a', 'router-b'];
const fleets = ['fleet', 'demo'].map((name) => ({ name, text: textOf(`deploy/compose/config/${name}.yaml`) }));

/** Of the Compose specification, what this file uses: a typing error would go unnoticed until somebody runs it. */
const knownKeys = new Set(
  (
    'build cap_add cap_drop command cpus depends_on entrypoint environment extra_hosts healthcheck image logging mem_limit' +
    ' network_mode networks pids_limit ports profiles read_only restart security_opt stop_grace_period tmpfs ulimits user' +
    ' volumes'
  ).split(' '),
);

interface Mount {
  readonly service: string;
  readonly source: string;
  readonly options: string;
}

const mounts: readonly Mount[] = services.flatMap(([name, one]) =>
  listAt(one, 'volumes').map((volume) => {
    const [source = '', , options = ''] = String(volume).split(':');
    return { service: name, source, options };
  }),
);

describe('the Compose file', () => {
  it('says nothing that Compose does not know', async () => {
    expect(
      services
        .flatMap(([name, one]) => entriesAt(one).map(([key]) => [name, key]))
        .filter(([, key]) => !knownKeys.has(key ?? '')),
    ).toEqual([]);
    if (await succeeds('docker', ['compose', 'version']))
      await run('docker', [
        'compose',
        '-f',
        join(root, 'deploy/compose.yaml'),
        '--profile',
        'demo',
        'config',
        '--quiet',
      ]);
  });

  it('has two routers with one name', () => {
    for (const name of routers) expect(at(service(name), 'networks', 'default', 'aliases')).toEqual(['router']);
  });

  it('publishes on loopback only, each port once', () => {
    const ports = services.flatMap(([, one]) => listAt(one, 'ports').map(String));
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
    const published = ports.map((port) => port.split(':')[1]);
    expect(published).toEqual(['8000', '9091', '8001', '9092', '9090', '3000']);
  });

  it('takes images from a digest, or builds them here', () => {
    const built = services.filter(([, one]) => at(one, 'build') !== undefined);
    expect(built.map(([name]) => name)).toEqual([...routers, 'engine-a', 'engine-b']);
    for (const [, one] of built) {
      expect(at(one, 'image')).toMatch(/^switchyard:\d+\.\d+\.\d+$/);
      const file = resolve(root, 'deploy', textAt(one, 'build', 'context'), textAt(one, 'build', 'dockerfile'));
      expect(existsSync(file)).toBe(true);
    }
    const pinned = /^[a-z/]+:[\w.-]+@sha256:[0-9a-f]{64}$/;
    const others = services.filter((one) => !built.includes(one)).map(([, one]) => textAt(one, 'image'));
    expect(others.filter((image) => !pinned.test(image) || image.includes(':latest'))).toEqual([]);
  });

  it('mounts directories that are in the repository, read-only, and volumes that are declared', () => {
    const isFolder = ({ source }: Mount) => source.startsWith('.');
    const folders = mounts.filter(isFolder);
    expect(new Set(folders.map(({ source }) => source)).size).toBe(4);
    expect(folders.filter(({ options }) => options !== 'ro')).toEqual([]);
    const isDirectory = (path: string) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
    expect(folders.filter(({ source }) => !isDirectory(resolve(root, 'deploy', source)))).toEqual([]);
    const declared = entriesAt(compose, 'volumes').map(([volume]) => volume);
    expect(mounts.filter((one) => !isFolder(one) && !declared.includes(one.source))).toEqual([]);
  });

  it('waits for what answers, and for nothing that cannot say whether it does', () => {
    const waits = services.flatMap(([name, one]) =>
      entriesAt(one, 'depends_on').map(([needed, how]) => ({ name, needed, condition: at(how, 'condition') })),
    );
    expect(waits).toEqual([
      ...routers.flatMap((name) => [
        { name, needed: 'token', condition: 'service_completed_successfully' },
        { name, needed: 'redis', condition: 'service_healthy' },
      ]),
      { name: 'grafana', needed: 'prometheus', condition: 'service_healthy' },
    ]);
    for (const needed of ['redis', 'prometheus']) expect(at(service(needed), 'healthcheck', 'test')).toBeDefined();
  });

  it.each(services.map(([name]) => name))('gives %s a read-only root, no capabilities and a bound', (name) => {
    expect(service(name)).toMatchObject({
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
      mem_limit: expect.any(String),
      pids_limit: expect.any(Number),
    });
    expect(at(service(name), 'cap_add')).toEqual(name === 'token' ? ['CHOWN'] : undefined);
  });

  it('puts boards, data source, rules and routers where those look for each other', () => {
    const boards = yamlOf('grafana/provisioning/dashboards/switchyard.yaml');
    const path = textAt(boards, 'providers', 0, 'options', 'path');
    expect(listAt(service('grafana'), 'volumes')).toContain(`../grafana/dashboards:${path}:ro`);
    const source = yamlOf('grafana/provisioning/datasources/prometheus.yaml');
    expect(textAt(source, 'datasources', 0, 'url')).toBe('http://prometheus:9090');
    const [scrape] = listAt(yamlOf('deploy/prometheus/prometheus.yaml'), 'scrape_configs');
    expect(listAt(scrape, 'dns_sd_configs', 0, 'names')).toEqual(['router']);
    // On this port the fleet files offer metrics.
    expect(at(scrape, 'dns_sd_configs', 0, 'port')).toBe(8000);
    for (const { text } of fleets) expect(fleetOf(text).server.metrics).toBe(true);
  });

  it('lets Grafana be looked at without an account, and nothing more', () => {
    expect(at(service('grafana'), 'environment')).toMatchObject({
      GF_AUTH_ANONYMOUS_ENABLED: 'true',
      GF_AUTH_ANONYMOUS_ORG_ROLE: 'Viewer',
      GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION: 'true',
    });
  });

  it('starts the simulated engines in the profile demo alone', () => {
    const inProfile = services.filter(([, one]) => at(one, 'profiles') !== undefined);
    expect(inProfile.map(([name, one]) => [name, at(one, 'profiles')])).toEqual([
      ['engine-a', ['demo']],
      ['engine-b', ['demo']],
    ]);
  });

  it('passes yamllint', async () => {
    const rules = '{extends: relaxed, rules: {line-length: disable, colons: disable}}';
    const files = ['deploy/compose.yaml', 'deploy/compose/config', 'deploy/kubernetes'].map((path) => join(root, path));
    expect(await run(places.yamllint, ['--strict', '-d', rules, ...files])).toBe('');
  });
});

describe.each(fleets)('the fleet file $name of the Compose file', ({ name, text }) => {
  const fleet = fleetOf(text);

  it('listens where the ports are published', () => {
    expect(fleet.server.listen).toEqual({ host: '0.0.0.0', port: 8000 });
    expect(fleet.admin?.listen).toEqual({ host: '0.0.0.0', port: 9091 });
  });

  it('can be asked under the names of the containers, and changed with the token alone', () => {
    expect(fleet.admin?.allowedHosts).toEqual(['localhost', 'router', ...routers]);
    expect(fleet.admin?.tokenSha256).toBeDefined();
  });

  it('drains in less time than Compose waits', () => {
    for (const router of routers) {
      const graceMs = Number(/^(\d+)s$/.exec(textAt(service(router), 'stop_grace_period'))?.[1]) * 1000;
      expect(graceMs).toBeGreaterThanOrEqual(fleet.server.drainTimeoutMs + 10_000);
    }
  });

  it('counts limits in the Redis that is there, for two routers', () => {
    expect(fleet.sharedState).toMatchObject({ replicas: 2 });
    expect(text).toContain('redis://redis:6379/0');
  });

  it('has no backend but the host, or services of the profile', () => {
    const hosts = fleet.backends.map(({ url }) => new URL(url ?? '').hostname);
    expect(hosts).toEqual(name === 'demo' ? ['engine-a', 'engine-b'] : ['host.docker.internal']);
  });
});

describe('the admin token of the Compose file', () => {
  it('is made once, for the routers alone to read', () => {
    const directory = mkdtempSync(join(tmpdir(), 'switchyard-token-'));
    try {
      const script = String(listAt(service('token'), 'command')[0])
        .replaceAll('$$', '$')
        .replace('/run/switchyard', directory)
        // Whoever runs the tests may not be root.
        .replace('chown 65532:65532', `chown ${process.getuid?.()}`);
      const file = join(directory, 'admin.token');
      execFileSync('sh', ['-euc', script]);
      const token = readFileSync(file, 'utf8');
      expect(token).toMatch(/^[A-Za-z0-9+/]{32}\n$/);
      expect(statSync(file).mode & 0o777).toBe(0o600);
      execFileSync('sh', ['-euc', script]);
      expect(readFileSync(file, 'utf8')).toBe(token);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
