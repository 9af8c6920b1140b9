import { createServer, type Server } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { systemTest } from './of-test.ts';

const { engine, file, run, serve } = systemTest();
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

const fleetOf = (backends: readonly string[], more = '') =>
  file(`version: 1\n${more}backends:\n${backends.map((text) => `  - ${text}\n`).join('')}`);

/** What a running router says about itself at GET /fleet, as far as it matters here. */
async function reporting(report: unknown): Promise<string> {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(report));
  });
  servers.push(server);
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}

const member = (backend: string, usable = true) => ({ backend, name: 'm', weight: 1, usable });

describe('plan', () => {
  it('finds nothing lost where a box comes, and shows the new shares', async () => {
    const [a, b] = await Promise.all([engine(), engine()]);
    const old = fleetOf([`{ name: a, url: "${a.url}" }`]);
    const next = fleetOf([`{ name: a, url: "${a.url}" }`, `{ name: b, url: "${b.url}", weight: 3 }`]);
    const { code, stdout, stderr } = await run(['plan', next, '--against', old]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(`  + b  ${b.url}\n`);
    expect(stdout).toMatch(/test-model +other +a 100% +a 25%, b 75%/);
    expect(stdout).toContain('Limits: the same\nNothing is lost.\n');
  });

  it('says what is lost, and ends with 1', async () => {
    const [a, b] = await Promise.all([engine({ models: ['one', 'two'] }), engine({ models: ['two'] })]);
    const old = fleetOf([`{ name: a, url: "${a.url}" }`, `{ name: b, url: "${b.url}" }`]);
    const next = fleetOf([`{ name: b, url: "${b.url}" }`, '{ name: lab, url: "http://127.0.0.1:9" }']);
    const { code, stdout } = await run(['plan', next, '--against', old]);
    expect(code).toBe(1);
    expect(stdout).toContain('  model "one" loses its last member: a\n');
    expect(stdout).toContain('  model "two" has 1 member instead of 2: a gone\n');
    expect(stdout).toContain('  new backend "lab": connection refused at 127.0.0.1:9');
  });

  it('tells limits that change and settings that need a restart', async () => {
    const backends = ['{ name: demo, engine: simulated }'];
    const limit = (n: number) => `models: { m: { limits: { concurrent: ${n} } } }\n`;
    const old = fleetOf(backends, `server: { listen: "127.0.0.1:8000" }\n${limit(4)}`);
    const next = fleetOf(backends, `server: { listen: "127.0.0.1:8008" }\n${limit(2)}`);
    const { code, stdout } = await run(['plan', next, '--against', old, '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: true,
      losses: [],
      limits: ['each tenant on m: concurrent 4 → 2'],
      needs_restart: ['server.listen'],
    });
  });

  it('compares with the running router, and asks nobody when told so', async () => {
    const admin = await reporting({
      backends: [
        { name: 'a', url: 'http://127.0.0.1:9', weight: 1, admin_state: 'enabled' },
        { name: 'b', url: 'http://127.0.0.1:8', weight: 1, admin_state: 'enabled' },
      ],
      models: [
        { name: 'm', members: [member('a'), member('b')] },
        { name: 'n', members: [member('b')] },
      ],
    });
    const next = fleetOf(['{ name: a, url: "http://127.0.0.1:9" }', '{ name: c, url: "http://127.0.0.1:7" }']);
    const { code, stdout } = await run(['plan', next, '--admin', admin, '--no-probe']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/m +other +a 50%, b 50% +a 100%/);
    expect(stdout).toContain('  model "n" loses its last member: b\n');
    expect(stdout).toContain('Not asked for their models: c\n');
    const same = fleetOf(['{ name: a, url: "http://127.0.0.1:9" }', '{ name: b, url: "http://127.0.0.1:8" }']);
    expect(await run(['plan', same, '--admin', admin, '--no-probe'])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Models: the same'),
    });
  });

  it('takes for granted that an entry goes on to find what it has found', async () => {
    const a = await engine();
    const at = a.url.slice('http://'.length);
    const one = { url: a.url, weight: 1, admin_state: 'enabled' };
    const admin = await reporting({
      backends: [
        { name: `lab/${at}`, ...one },
        { name: `old/${at}`, ...one, url: 'http://127.0.0.1:9' },
      ],
      models: [{ name: 'test-model', members: [{ ...member(`lab/${at}`), name: 'test-model' }] }],
    });
    const entry = (name: string, more = '') => `{ name: ${name}, discover: { dns: _llm._tcp.lab.test }${more} }`;
    const same = await run(['plan', fleetOf([entry('lab'), entry('old')]), '--admin', admin, '--no-probe']);
    expect(same).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Backends: the same\nModels: the same\n/) });
    const other = await run(['plan', fleetOf([entry('lab', ', weight: 2'), entry('new')]), '--admin', admin]);
    expect(other.stdout).toContain(`  - old/${at}  http://127.0.0.1:9\n  ~ lab/${at}  weight 1 → 2\n`);
    expect(other).toMatchObject({ code: 0, stdout: expect.stringContaining('Not asked for their models: new\n') });
  });

  it('ends with 2 for a file with errors, and with 5 without a router', async () => {
    const good = fleetOf(['{ name: demo, engine: simulated }']);
    expect(await run(['plan', file('version: 1\n'), '--against', good])).toMatchObject({ code: 2, stdout: '' });
    expect(await run(['plan', good, '--against', file('version: 1\n')])).toMatchObject({ code: 2, stdout: '' });
    const alone = await run(['plan', good, '--admin', 'http://127.0.0.1:9']);
    expect(alone).toMatchObject({ code: 5, stdout: '', stderr: expect.stringContaining('Cannot ask the router') });
    expect((await run(['plan', good, '--admin', await reporting({ no: 'fleet' })])).code).toBe(5);
  });
});

describe('plan with a running router', () => {
  /** `plan` of a file for whoever runs the router on two boxes, where `a` alone has a model more. */
  async function planning() {
    const [a, b] = await Promise.all([engine({ models: ['m', 'only-a'] }), engine({ models: ['m'] })]);
    const both = [`{ name: a, url: "${a.url}" }`, `{ name: b, url: "${b.url}" }`] as const;
    const more = 'models: { m: { limits: { concurrent: 4 } } }\n';
    const env = { SWITCHYARD_ADMIN_LISTEN: '127.0.0.1:0', SWITCHYARD_LISTEN: '127.0.0.1:0' };
    const router = await serve(['--config', fleetOf(both, more)], { env });
    const plan = (backends: readonly string[], settings = more, ...args: readonly string[]) =>
      run(['plan', fleetOf(backends, settings), '--admin', router.adminUrl, ...args], { env });
    return { both, more, plan };
  }

  it('finds nothing where the file is the same, and no loss where only a box comes', async () => {
    const { both, plan } = await planning();
    expect(await plan(both)).toEqual({
      code: 0,
      signal: null,
      stdout: 'Backends: the same\nModels: the same\nLimits: the same\nNothing is lost.\n',
      stderr: '',
    });
    const c = await engine({ models: ['m'] });
    const { code, stdout } = await plan([...both, `{ name: c, url: "${c.url}", weight: 2 }`]);
    expect(code).toBe(0);
    expect(stdout).toContain(`  + c  ${c.url}\n`);
    expect(stdout).toMatch(/^ +m +other +a 50%, b 50% +a 25%, b 25%, c 50%$/m);
    expect(stdout).toMatch(/^Limits: the same\nNothing is lost\.$/m);
  });

  it('ends with 1 where a model is lost, and where a new box does not answer', async () => {
    const { both, plan } = await planning();
    const lost = await plan([both[1]]);
    expect(lost.code).toBe(1);
    expect(lost.stdout).toContain('  model "only-a" loses its last member: a\n');
    const mute = await plan([...both, '{ name: lab, url: "http://127.0.0.1:9" }']);
    expect(mute.code).toBe(1);
    expect(mute.stdout).toContain('  new backend "lab": connection refused at 127.0.0.1:9');
  });

  it('shows limits that change, and the settings that only a restart applies', async () => {
    const { both, plan } = await planning();
    const settings =
      'models: { m: { limits: { concurrent: 2, burst: 3, requests_per_minute: 9 } } }\nmetrics: { tenants: false }\n';
    const { code, stdout } = await plan(both, settings);
    expect(code).toBe(0);
    expect(stdout).toContain('  each tenant on m: concurrent 4 → 2\n');
    expect(stdout).toContain('  each tenant on m: requests_per_minute none → 9\n');
    expect(stdout).toContain('  each tenant on m: burst none → 3 requests\n');
    expect(stdout).toContain('Only a restart applies: metrics\n');
    const json = await plan(both, settings, '--json');
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: true, needs_restart: ['metrics'], losses: [] });
  });
});
