// A fleet file that changes below a running router, in every way in which files are changed, and everything that can be
// wrong with it then.
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { answer } from '../support/scripted/behaviours.ts';
import type { RouterProcess } from '../support/router-process.ts';
import type { ScriptedEngine } from '../support/scripted-engine.ts';
import { chat, modelsOf, readAll } from './caller.ts';
import { secrets, systemTest } from './of-test.ts';

const { engine: startEngine, file, serve, start } = systemTest();

let one: ScriptedEngine;
let two: ScriptedEngine;
beforeEach(async () => {
  [one, two] = await Promise.all([startEngine({ models: ['one'] }), startEngine({ models: ['two'] })]);
});

const fleetOf = (engines: readonly ScriptedEngine[], more = ''): string =>
  `version: 1\n${more}backends:\n${engines.map(({ url }, n) => `  - { name: b${n}, url: "${url}", engine: vllm }\n`).join('')}`;

/** What was logged about reloads, and no more of it than that. */
function reloads({ log }: RouterProcess): readonly object[] {
  return log.filter((line): line is object => typeof line === 'object' && line !== null && 'trigger' in line);
}

async function reloaded(router: RouterProcess, times: number): Promise<void> {
  await router.when((self) => self.stderr.endsWith('\n') && reloads(self).length >= times);
}

/** The file may be caught missing or empty for a moment, which is told too. */
async function applied(router: RouterProcess, times: number): Promise<readonly object[]> {
  const found = (self: RouterProcess) => reloads(self).filter((line) => 'changes' in line);
  await router.when((self) => self.stderr.endsWith('\n') && found(self).length >= times);
  return found(router);
}

async function metric(router: RouterProcess, series: string): Promise<number> {
  const text = await (await fetch(`${router.url}/metrics`)).text();
  const line = text.split('\n').find((written) => written.startsWith(`${series} `));
  return Number(line?.slice(series.length));
}

const ways: Readonly<Record<string, (path: string, text: string) => void>> = {
  'is written again': (path, text) => writeFileSync(path, text),
  'is replaced by another one under its name': (path, text) => {
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
  },
  'is deleted and written anew': (path, text) => {
    rmSync(path);
    writeFileSync(path, text);
  },
};

describe('a fleet file that', () => {
  it.each(Object.entries(ways))('%s is applied each time, and cuts no stream', async (_how, save) => {
    const path = file(fleetOf([one]));
    const router = await serve(['-c', path]);
    expect(await modelsOf(router)).toEqual(['one']);
    one.respond(answer({ pieces: [...Array<string>(60).fill('word '), secrets.answer], gapMs: 50, model: 'one' }));
    const stream = readAll(await chat(router, { model: 'one', stream: true }));
    for (const [times, engines] of [[one, two], [two], [one, two]].entries()) {
      save(path, fleetOf(engines));
      await applied(router, times + 1);
      expect(await modelsOf(router)).toEqual(engines.map((engine) => (engine === one ? 'one' : 'two')));
    }
    expect(await applied(router, 3)).toMatchObject([
      { trigger: 'watch', msg: 'reloaded: +1 backend (b1)' },
      { trigger: 'watch', msg: 'reloaded: -1 backend (b1), 1 backend replaced (b0)' },
      { trigger: 'watch', msg: 'reloaded: +1 backend (b1), 1 backend replaced (b0)' },
    ]);
    const { events, broken } = await stream;
    expect({ broken, last: events.at(-1) }).toEqual({ broken: false, last: '[DONE]' });
    expect(await metric(router, 'switchyard_config_last_reload_successful')).toBe(1);
    expect(await metric(router, 'switchyard_config_reloads_total{trigger="watch",result="applied"}')).toBe(3);
  });

  it('comes from a ConfigMap is applied at each swap', async () => {
    const directory = dirname(file('', 'unused'));
    const swap = (version: string, text: string): void => {
      mkdirSync(join(directory, `..${version}`));
      writeFileSync(join(directory, `..${version}`, 'fleet.yaml'), text);
      symlinkSync(`..${version}`, join(directory, '..data_tmp'));
      renameSync(join(directory, '..data_tmp'), join(directory, '..data'));
    };
    swap('v1', fleetOf([one]));
    symlinkSync(join('..data', 'fleet.yaml'), join(directory, 'fleet.yaml'));
    const router = await serve(['-c', join(directory, 'fleet.yaml')]);
    for (const [times, engines] of [[two], [one, two], [one]].entries()) {
      swap(`v${times + 2}`, fleetOf(engines));
      rmSync(join(directory, `..v${times + 1}`), { recursive: true });
      await applied(router, times + 1);
      expect(await modelsOf(router)).toHaveLength(engines.length);
    }
    expect(await applied(router, 3)).toHaveLength(3);
  });

  it('names a key in another directory is applied when the key is exchanged', async () => {
    const key = file('an-old-key', 'key');
    chmodSync(key, 0o600);
    const router = await serve(['-c', file(fleetOf([one], `auth: { keys: [{ tenant: t, key_file: "${key}" }] }\n`))]);
    const statusWith = async (bearer: string) =>
      (await chat(router, { model: 'one' }, { authorization: `Bearer ${bearer}` })).status;
    expect([await statusWith('an-old-key'), await statusWith(secrets.key)]).toEqual([200, 401]);
    writeFileSync(key, secrets.key);
    await applied(router, 1);
    expect([await statusWith('an-old-key'), await statusWith(secrets.key)]).toEqual([401, 200]);
  });

  it('is still being written is never applied in part', async () => {
    const path = file(fleetOf([one]));
    const router = await serve(['-c', path]);
    const text = fleetOf([one, two]);
    for (let length = 20; length < text.length; length += 20) {
      writeFileSync(path, text.slice(0, length));
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    writeFileSync(path, text);
    await applied(router, 1);
    expect(reloads(router).at(-1)).toMatchObject({ msg: 'reloaded: +1 backend (b1)' });
  });

  it('changes with --no-watch is applied on SIGHUP only', async () => {
    const path = file(fleetOf([one]));
    const router = await serve(['-c', path, '--no-watch']);
    writeFileSync(path, fleetOf([two]));
    // Longer than a poll would take.
    await new Promise((resolve) => setTimeout(resolve, 2_600));
    expect(await modelsOf(router)).toEqual(['one']);
    router.signal('SIGHUP');
    await reloaded(router, 1);
    expect(await modelsOf(router)).toEqual(['two']);
    router.signal('SIGHUP');
    await reloaded(router, 2);
    expect(reloads(router)).toMatchObject([
      { trigger: 'signal', changes: '1 backend replaced (b0)' },
      { trigger: 'signal', msg: 'reload: the fleet file says what runs already' },
    ]);
  });
});

/** Each leaves something in place of the file that must not be applied. */
const wrongs: Readonly<Record<string, readonly [spoil: (path: string) => void, said: string]>> = {
  'a syntax error': [(path) => writeFileSync(path, 'version: [1\n'), 'error'],
  'an unknown key': [
    (path) => writeFileSync(path, fleetOf([one]).replace('name: b0', 'wieght: 2')),
    'did you mean "weight"?',
  ],
  'a name twice': [(path) => writeFileSync(path, fleetOf([one, two]).replace('b1', 'b0')), 'has the name "b0" too'],
  'a depth of a thousand': [
    (path) => writeFileSync(path, `version: ${'['.repeat(1_000)}${']'.repeat(1_000)}\n`),
    'nested more than 32 levels deep',
  ],
  'an alias to itself': [(path) => writeFileSync(path, 'version: 1\nbackends: &b [*b]\n'), 'aliases (*name)'],
  'an alias bomb': [
    (path) => {
      const lines = Array.from({ length: 12 }, (_, n) => `a${n + 1}: &a${n + 1} [${`*a${n}, `.repeat(9)}*a${n}]`);
      writeFileSync(path, `a0: &a0 [x]\n${lines.join('\n')}\n`);
    },
    'aliases (*name)',
  ],
  'a hundred megabytes': [(path) => truncateSync(path, 100 * 2 ** 20), 'larger than 1 MiB'],
  'half a file': [(path) => writeFileSync(path, fleetOf([one, two]).slice(0, -30)), 'error'],
  'no bytes at all': [(path) => writeFileSync(path, ''), 'the fleet file is empty'],
  'no file': [(path) => rmSync(path), 'cannot read the fleet file: no such file'],
  'a directory': [
    (path) => {
      rmSync(path, { force: true });
      mkdirSync(path);
    },
    'cannot read the fleet file',
  ],
};

describe('a fleet file that turns into', () => {
  it.each(Object.entries(wrongs))(
    '%s changes nothing, is told once, and is watched on',
    async (_what, [spoil, said]) => {
      const path = file(fleetOf([one]));
      const router = await serve(['-c', path]);
      spoil(path);
      await reloaded(router, 1);
      expect(reloads(router)).toMatchObject([{ trigger: 'watch', problems: expect.any(Array) }]);
      expect(JSON.stringify(reloads(router))).toContain(JSON.stringify(said).slice(1, -1));
      expect((await chat(router, { model: 'one' })).status).toBe(200);
      expect(await metric(router, 'switchyard_config_last_reload_successful')).toBe(0);
      const refused = await metric(router, 'switchyard_config_reloads_total{trigger="watch",result="refused"}');
      expect(refused).toBe(reloads(router).length);
      rmSync(path, { recursive: true, force: true });
      writeFileSync(path, fleetOf([one, two]));
      await router.when(({ stderr }) => stderr.includes('reloaded: +1 backend (b1)'));
      // Between the two the file may have been seen missing, which is another thing to tell.
      expect(reloads(router).length).toBeLessThanOrEqual(3);
      expect(await metric(router, 'switchyard_config_last_reload_successful')).toBe(1);
      expect((await chat(router, { model: 'two' })).status).toBe(200);
    },
  );

  it('something wrong is not told again at every look', async () => {
    const path = file(fleetOf([one]));
    const router = await serve(['-c', path]);
    writeFileSync(path, 'version: 2\n');
    await reloaded(router, 1);
    await new Promise((resolve) => setTimeout(resolve, 4_500));
    expect(reloads(router)).toHaveLength(1);
    writeFileSync(path, fleetOf([one]));
    await reloaded(router, 2);
    expect(reloads(router)[1]).toMatchObject({ msg: 'reload: the fleet file says what runs already' });
  });
});

describe('a router with an admin token', () => {
  const token = secrets.token;
  const env = { ADMIN_TOKEN: token, SWITCHYARD_ADMIN_LISTEN: '127.0.0.1:0' };
  const admin = 'admin: { token: "${ADMIN_TOKEN}" }\n';
  const post = async (router: RouterProcess, path: string, headers = { authorization: `Bearer ${token}` }) => {
    const response = await fetch(`${router.adminUrl}${path}`, { method: 'POST', headers });
    const body: unknown = await response.json();
    return [response.status, body];
  };

  it('reloads when it is told to, and tells how that went', async () => {
    const path = file(fleetOf([one], admin));
    const router = await serve(['-c', path, '--no-watch'], { env });
    expect(router.stdout).toContain('(drain and reload need the token)');
    expect(await post(router, '/reload', { authorization: 'Bearer x' })).toMatchObject([401, { error: {} }]);
    writeFileSync(path, fleetOf([one], `${admin}sever: {}\n`));
    expect(await post(router, '/reload')).toMatchObject([
      422,
      { result: 'refused', problems: [expect.stringMatching(/fleet\.yaml:3:1: error: unknown key "sever"/)] },
    ]);
    writeFileSync(
      path,
      fleetOf([one, two], `${admin}server: { listen: "127.0.0.1:1" }\nlogging: { format: pretty }\n`),
    );
    expect(await post(router, '/reload')).toMatchObject([
      200,
      { result: 'applied', changes: '+1 backend (b1), logging', needs_restart: ['logging.format'] },
    ]);
    expect(await post(router, '/reload')).toMatchObject([200, { result: 'unchanged' }]);
    expect(await modelsOf(router)).toEqual(['one', 'two']);
  });

  it('drains a backend without an edit and takes it back, and neither cuts a stream', async () => {
    const same = await startEngine({ models: ['one'] });
    const router = await serve(['-c', file(fleetOf([one, same], admin))], { env });
    for (const engine of [one, same]) engine.respond(answer({ count: 30, gapMs: 50, model: 'one' }));
    const streams = await Promise.all(Array.from({ length: 8 }, () => chat(router, { model: 'one', stream: true })));
    const read = streams.map(readAll);
    expect(await post(router, '/backends/b0/drain')).toMatchObject([200, { state: 'draining' }]);
    const later = await Promise.all(Array.from({ length: 6 }, () => chat(router, { model: 'one', stream: true })));
    expect(later.map(({ headers }) => headers.get('x-switchyard-backend'))).toEqual(Array(6).fill('b1'));
    const all = await Promise.all([...read, ...later.map(readAll)]);
    expect(all.map(({ broken, events }) => [broken, events.at(-1)])).toEqual(all.map(() => [false, '[DONE]']));
    expect(await post(router, '/backends/nobody/drain')).toMatchObject([404, { error: { type: 'not_found' } }]);
    expect(await post(router, '/backends/b0/undrain')).toEqual([
      200,
      { backend: 'b0', state: 'enabled', in_flight: 0 },
    ]);
    await post(router, '/backends/b1/drain');
    expect((await chat(router, { model: 'one' })).headers.get('x-switchyard-backend')).toBe('b0');
  });
});

describe('the address of the admin listener', () => {
  it('is no reason not to start where the fleet file does not name it', async () => {
    const quiet = fleetOf([one]);
    const routers = await Promise.all(
      [1, 2].map(() => serve(['-c', file(quiet)], { env: { SWITCHYARD_ADMIN_LISTEN: '' } })),
    );
    const withAdmin = routers.filter(({ stdout }) => stdout.includes('Status:'));
    expect(withAdmin.length).toBeLessThanOrEqual(1);
    for (const router of routers) expect((await chat(router, { model: 'one' })).status).toBe(200);
    const without = routers.filter(({ stdout }) => !stdout.includes('Status:'));
    for (const router of without) expect(router.stderr).toContain('no admin listener: 127.0.0.1:9091 is taken');
  });

  it('ends the start with exit code 3 where it does, and is taken', async () => {
    const listen = `admin: { listen: "127.0.0.1:${one.port}" }\n`;
    const router = start(['serve', '--listen', '127.0.0.1:0', '-c', file(fleetOf([two], listen))], {
      env: { SWITCHYARD_ADMIN_LISTEN: '' },
    });
    expect(await router.ended).toEqual({ code: 3, signal: null });
    expect(router.stderr).toContain(`127.0.0.1:${one.port} is in use by another process; set admin.listen`);
  });

  it('must not be one that others can reach, without a token', async () => {
    const router = start(['serve', '--admin-listen', '0.0.0.0:0', '-c', file(fleetOf([one]))], {});
    expect(await router.ended).toEqual({ code: 2, signal: null });
    expect(router.stderr).toContain('others can reach the admin address, and it has no token');
  });
});
