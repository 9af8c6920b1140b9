// The verbs that ask a running router, against an admin listener that says what a test wants to hear.
import { describe, expect, it } from 'vitest';
import { openAdmin } from '../../src/cli/admin-client.ts';
import { aBackendReport, aDrainingReport, aReport, fakeAdminsOfTest, refusal } from '../support/fake-admin.ts';
import { linesOf } from '../support/router-process.ts';
import { secrets, systemTest } from './of-test.ts';

const { file, run, start } = systemTest();
const fakeAdmin = fakeAdminsOfTest();
const down = aBackendReport({ name: 'gpu-b', state: 'down', health: 'down', problem: 'connection refused' });

/** Of an address where nobody listens: it was just let go. */
async function nobody(): Promise<string> {
  const admin = await fakeAdmin();
  await admin.close();
  return admin.url;
}

describe('status', () => {
  it('prints the fleet, and ends with 0 where all is well and with 1 where something needs a look', async () => {
    const admin = await fakeAdmin();
    admin.says('GET /fleet', aReport());
    const well = await run(['status', '--admin', admin.url]);
    expect(well).toMatchObject({ code: 0, stderr: '' });
    expect(linesOf(well.stdout)).toEqual([
      'BACKEND  ENGINE  STATE  INFLIGHT  WAITING  KV   TTFT p95  LAST CHANGE',
      'gpu-a    vllm    up     3         0        41%  180 ms    2 m ago',
    ]);
    admin.says('GET /fleet', aReport({ backends: [aBackendReport(), down] }));
    const degraded = await run(['status'], { env: { SWITCHYARD_ADMIN: `${admin.url}/` } });
    expect(degraded).toMatchObject({ code: 1, stderr: '' });
    expect(linesOf(degraded.stdout).at(-1)).toBe('gpu-b is down: connection refused');
  });

  it('prints with --json what the router says, unchanged', async () => {
    const admin = await fakeAdmin();
    const said = `{"later": "field", ${JSON.stringify(aReport()).slice(1)}`;
    admin.says('GET /fleet', said);
    expect(await run(['status', '--json', '--admin', admin.url])).toMatchObject({ code: 0, stdout: `${said}\n` });
  });

  it('uses colours on demand only, and lets no name reach the terminal as a command', async () => {
    const admin = await fakeAdmin();
    admin.says('GET /fleet', aReport({ backends: [aBackendReport({ name: 'gpu\u001b[2J-a' })] }));
    const plain = await run(['status', '--admin', admin.url]);
    expect(plain.stdout).not.toContain('\u001b');
    const coloured = await run(['status', '--admin', admin.url], { env: { FORCE_COLOR: '1' } });
    expect(coloured.stdout).toContain('\u001b[32mup\u001b[39m');
    expect(coloured.stdout).not.toContain('\u001b[2J');
  });

  it('with --watch shows each change, tells of a router that is gone and back, and ends at SIGINT', async () => {
    const admin = await fakeAdmin();
    admin.says('GET /fleet', aReport(), { etag: 'W/"1"' });
    const watch = start(['status', '--watch', '--admin', admin.url]);
    await watch.when(({ stdout }) => stdout.includes('gpu-a'));
    await expect
      .poll(() => admin.requests.filter(({ etag }) => etag === 'W/"1"').length, { timeout: 20_000 })
      .toBeGreaterThan(0);
    expect(watch.stdout.match(/gpu-a/g)).toHaveLength(1);
    admin.says('GET /fleet', aReport({ backends: [down] }), { etag: 'W/"2"' });
    await watch.when(({ stdout }) => stdout.includes('gpu-b is down'));
    await admin.close();
    await watch.when(({ stderr }) => stderr.includes('connection refused'));
    const back = await fakeAdmin(admin.port);
    back.says('GET /fleet', aReport(), { etag: 'W/"3"' });
    await watch.when(({ stderr, stdout }) => stderr.includes('answers again') && /gpu-b[^]*gpu-a/.test(stdout));
    watch.signal('SIGINT');
    expect(await watch.ended).toEqual({ code: 0, signal: null });
    expect(linesOf(watch.stderr)).toHaveLength(2);
  });
});

describe('a router that cannot be asked', () => {
  it.each([
    ['status'],
    ['models'],
    ['explain', '--model', 'm'],
    ['diff'],
    ['drain', 'gpu-a'],
    ['undrain', 'gpu-a'],
    ['reload'],
  ])('ends %s %s with 5 and one line that says where and what to do', async (...args) => {
    const url = await nobody();
    const { code, stdout, stderr } = await run([...args, '--admin', url]);
    expect({ code, stdout }).toEqual({ code: 5, stdout: '' });
    expect(linesOf(stderr)).toEqual([
      `switchyard: Cannot ask the router at ${url} (--admin): connection refused. Is it running? --admin URL names another address.`,
    ]);
  });

  it.each([
    ['an address that is none', ['--admin', `x${secrets.token}`], /^switchyard: --admin: not an address: write http:/],
    ['a password in an address', ['--admin', `http://a:${secrets.token}@127.0.0.1:1`], /credentials in a URL/],
    [
      'a named fleet file that is not there',
      ['-c', 'no/such.yaml'],
      /no\/such\.yaml does not tell where its router listens: no such file/,
    ],
  ])('because of %s is told so', async (_name, args, message) => {
    const { code, stderr } = await run(['status', ...args], { env: { SWITCHYARD_ADMIN_LISTEN: '' } });
    expect(code).toBe(5);
    expect(linesOf(stderr)).toEqual([expect.stringMatching(message)]);
  });

  it('because it has no admin listener, or it is another server, is told so', async () => {
    const off = await run(['status']);
    expect(off).toMatchObject({ code: 5, stderr: expect.stringContaining('SWITCHYARD_ADMIN_LISTEN is off') });
    const admin = await fakeAdmin();
    admin.says('GET /fleet', '<html>', { status: 200 });
    const page = await run(['status', '--admin', admin.url]);
    expect(page).toMatchObject({ code: 5, stderr: expect.stringContaining('is this its admin listener?') });
    admin.says('GET /fleet', { ok: true });
    expect((await run(['models', '--admin', admin.url])).stderr).toContain('is not the report of a router');
    admin.says('GET /fleet', refusal('forbidden', 'This name is not one of admin.allowed_hosts.'), { status: 403 });
    const forbidden = await run(['status', '--admin', admin.url]);
    expect(forbidden).toMatchObject({ code: 5, stderr: expect.stringContaining('admin.allowed_hosts') });
  });

  it('because it takes too long is told so', async () => {
    const fake = await fakeAdmin();
    fake.hangs('GET /fleet');
    const admin = openAdmin({ admin: fake.url }, {});
    const answer = 'problem' in admin ? admin : await admin.get('/fleet', { timeoutMs: 50 });
    expect(answer).toEqual({ problem: expect.stringContaining('no answer within 0.05 s'), exitCode: 5 });
  });
});

describe('the address', () => {
  it('is that of the fleet file, however broken the rest of the file is, and one for all addresses is asked here', async () => {
    const admin = await fakeAdmin();
    admin.says('GET /fleet', aReport());
    const path = file(`version: 9\nadmin: { listen: 0.0.0.0:${admin.port} }\nbackends: [{ url: "\${NOT_SET}" }]\n`);
    expect(await run(['status', '-c', path], { env: { SWITCHYARD_ADMIN_LISTEN: '' } })).toMatchObject({
      code: 0,
      stderr: '',
    });
  });

  it('is that of the environment which the router itself would take', async () => {
    const admin = await fakeAdmin();
    admin.says('GET /fleet', aReport());
    const env = { SWITCHYARD_ADMIN_LISTEN: `127.0.0.1:${admin.port}` };
    expect(await run(['status'], { env })).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('models', () => {
  it('lists each with its members and why one is out', async () => {
    const member = { name: 'llama', weight: 1, context: 8192, usable: true, circuit: 'closed', why: null } as const;
    const model = {
      name: 'llama',
      aliases: ['gpt-4o'],
      policy: 'least-connections',
      capabilities: { 'chat-completions': true, tools: true, vision: false },
      context: 8192,
      members: [
        { ...member, backend: 'gpu-a' },
        { ...member, backend: 'gpu-b', usable: false, why: 'down' },
      ],
      available: 1,
      panic: false,
      queue: { length: 0, max_length: 100, max_wait_seconds: 30 },
      fallback: { no_backend: [], overloaded: [] },
    };
    const admin = await fakeAdmin();
    admin.says('GET /fleet', aReport({ models: [model] }));
    const { code, stdout } = await run(['models', '--admin', admin.url]);
    expect(code).toBe(0);
    expect(linesOf(stdout)).toEqual([
      'MODEL  AVAILABLE  WAITING  CONTEXT  CAN    ALIASES  BACKENDS',
      'llama  1/2        0        8192     tools  gpt-4o   gpu-a, gpu-b (down)',
    ]);
    const json = await run(['models', '--json', '--admin', admin.url]);
    expect(JSON.parse(json.stdout)).toEqual([model]);
  });
});

describe('explain', () => {
  const explanation = {
    model: 'llama',
    endpoint: 'chat-completions',
    policy: 'least-connections',
    winner: null,
    why: 'Nobody who has the model can take it now.',
    candidates: [
      {
        backend: 'gpu-a',
        verdict: 'full',
        why: '2 of 2 in flight',
        score: 3,
        in_flight: 2,
        max_in_flight: 2,
        weight: 1,
      },
    ],
  };

  it('sends the size of a prompt and what it needs, and never the prompt', async () => {
    const admin = await fakeAdmin();
    admin.says('GET /explain', explanation);
    const input = JSON.stringify({ messages: [{ role: 'user', content: secrets.prompt }] });
    const args = ['explain', '--model', 'llama', '--needs', 'tools', '--prompt-file', '-', '--admin', admin.url];
    const { code, stdout } = await run(args, { input });
    expect(code).toBe(0);
    expect(linesOf(stdout)[0]).toBe('llama (chat-completions, least-connections) goes to nobody.');
    expect(stdout).toContain('2 of 2 in flight');
    expect(admin.requests.map(({ line }) => line)).toEqual([
      `GET /explain?model=llama&endpoint=chat-completions&needs=tools&prompt_bytes=${secrets.prompt.length}`,
    ]);
    expect((await run([...args, '--json'], { input })).stdout).toBe(`${JSON.stringify(explanation)}\n`);
  });

  it('ends with 1 where there is nothing to explain', async () => {
    const admin = await fakeAdmin();
    admin.says('GET /explain', refusal('model_not_found', 'No backend has this model.'), { status: 404 });
    const unknown = await run(['explain', '--model', 'x', '--admin', admin.url]);
    expect(unknown).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('No backend has this model.'),
    });
    expect(await run(['explain', '--admin', admin.url])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('--model'),
    });
    const missing = await run(['explain', '--prompt-file', 'no/such', '--admin', admin.url]);
    expect(missing).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no/such: cannot be read: no such file'),
    });
    const wrong = await run(['explain', '--model', 'x', '--needs', 'tool', '--admin', admin.url]);
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining('tools, vision, audio, json_schema') });
  });
});

describe('drain', () => {
  const drained = { backend: 'gpu-b', state: 'draining', in_flight: 2 };

  it('takes a backend out and undrain puts it back, with the token of a file, the environment or the fleet file', async () => {
    const admin = await fakeAdmin();
    admin.says('POST /backends/gpu%2Fb/drain', drained);
    admin.says('POST /backends/gpu%2Fb/undrain', { ...drained, state: 'enabled' });
    const token = file(`${secrets.token}\n`, 'admin.token');
    const out = await run(['drain', 'gpu/b', '--admin', admin.url, '--token-file', token]);
    expect(out).toMatchObject({ code: 0, stderr: '', stdout: 'gpu/b is draining: 2 requests still in flight.\n' });
    const env = { SWITCHYARD_ADMIN_TOKEN: secrets.token, SWITCHYARD_ADMIN: admin.url };
    const json = await run(['drain', 'gpu/b', '--json'], { env });
    expect(json.stdout).toBe(`${JSON.stringify(drained)}\n`);
    const path = file(`admin: { listen: 127.0.0.1:${admin.port}, token_file: ${token} }\n`);
    const back = await run(['undrain', 'gpu/b', '-c', path], { env: { SWITCHYARD_ADMIN_LISTEN: '' } });
    expect(back).toMatchObject({ code: 0, stderr: '', stdout: 'gpu/b is enabled.\n' });
    expect(admin.requests.map((request) => request.token)).toEqual(Array(3).fill(`Bearer ${secrets.token}`));
  });

  it('with --wait tells how many are left, and ends when there are none', async () => {
    const admin = await fakeAdmin();
    admin.says('POST /backends/gpu-b/drain', drained);
    admin.says('GET /fleet', aDrainingReport(2));
    const waiting = start(['drain', 'gpu-b', '--wait', '--admin', admin.url]);
    await waiting.when(({ stderr }) => stderr.includes('gpu-b: 2 requests still in flight'));
    admin.says('GET /fleet', aDrainingReport(1));
    await waiting.when(({ stderr }) => stderr.includes('gpu-b: 1 request still in flight'));
    expect(waiting.stdout).toBe('');
    admin.says('GET /fleet', aDrainingReport(0));
    expect(await waiting.ended).toEqual({ code: 0, signal: null });
    expect(waiting.stdout).toBe('gpu-b is draining: it is free.\n');
  });

  it('with --wait ends with 0 when the backend has left the fleet, and with 1 when it was put back or nobody waits any more', async () => {
    const admin = await fakeAdmin();
    admin.says('POST /backends/gpu-b/drain', drained);
    admin.says('GET /fleet', aReport());
    const args = ['drain', 'gpu-b', '--wait', '--admin', admin.url];
    expect(await run(args)).toMatchObject({ code: 0, stdout: 'gpu-b is gone: it has left the fleet.\n' });
    admin.says('GET /fleet', aReport({ backends: [aBackendReport({ name: 'gpu-b' })] }));
    expect(await run(args)).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('was put back') });
    admin.says('GET /fleet', aDrainingReport(2));
    const waiting = start(args);
    await waiting.when(({ stderr }) => stderr.includes('2 requests still in flight'));
    waiting.signal('SIGINT');
    expect(await waiting.ended).toEqual({ code: 1, signal: null });
    expect(linesOf(waiting.stderr).at(-1)).toMatch(/still draining, 2 requests in flight.*switchyard undrain gpu-b/);
  });

  it('without a token, with a wrong one, or one that cannot be read says which setting to look at', async () => {
    const admin = await fakeAdmin();
    admin.says('POST /reload', refusal('unauthorized', 'The admin token is needed.'), { status: 401 });
    const none = await run(['reload', '--admin', admin.url]);
    expect(none).toMatchObject({ code: 1, stdout: '' });
    expect(none.stderr).toMatch(/wants its admin token: --token-file FILE, SWITCHYARD_ADMIN_TOKEN, or -c/);
    const wrong = await run(['reload', '--admin', admin.url], { env: { SWITCHYARD_ADMIN_TOKEN: secrets.token } });
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining('does not accept this admin token') });
    const missing = await run(['reload', '--admin', admin.url, '--token-file', 'no/such']);
    expect(missing).toMatchObject({
      code: 1,
      stderr: 'switchyard: --token-file: cannot read this file: no such file.\n',
    });
    expect(admin.requests).toHaveLength(2);
  });

  it('of a backend that is not there is refused', async () => {
    const admin = await fakeAdmin();
    admin.says('POST /backends/x/drain', refusal('not_found', 'No backend of the fleet has this name.'), {
      status: 404,
    });
    const { code, stderr } = await run(['drain', 'x', '--admin', admin.url]);
    expect(code).toBe(1);
    expect(stderr).toBe(`switchyard: The router at ${admin.url} refuses: No backend of the fleet has this name.\n`);
  });
});

describe('reload', () => {
  it('tells what was applied, what needs a restart, and that there was nothing to do', async () => {
    const admin = await fakeAdmin();
    const applied = {
      result: 'applied',
      config: '91be02',
      changes: '+1 backend (gpu-b)',
      needs_restart: ['server.listen'],
      warnings: ['fleet.yaml:2:1: warning: w'],
    };
    admin.says('POST /reload', applied);
    const { code, stdout, stderr } = await run(['reload', '--allow-empty', '--admin', admin.url]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'reload ok sha 91be02: +1 backend (gpu-b)\n' });
    expect(linesOf(stderr)).toEqual([
      'fleet.yaml:2:1: warning: w',
      'switchyard: these stay as they were until the next start: server.listen',
    ]);
    expect(admin.requests.map(({ line }) => line)).toEqual(['POST /reload?allow_empty=true']);
    admin.says('POST /reload', { result: 'unchanged', config: '91be02' });
    expect(await run(['reload', '--admin', admin.url])).toMatchObject({
      code: 0,
      stdout: 'reload unchanged, sha 91be02 runs already\n',
      stderr: '',
    });
  });

  it('that is refused prints the lines of check and ends with 1', async () => {
    const admin = await fakeAdmin();
    const outcome = { result: 'refused', config: '3f9c1a', problems: ['fleet.yaml:14:5: error: e'], passing: false };
    admin.says('POST /reload', outcome, { status: 422 });
    const { code, stdout, stderr } = await run(['reload', '--admin', admin.url]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(linesOf(stderr)).toEqual([
      'fleet.yaml:14:5: error: e',
      'switchyard: reload refused, still running sha 3f9c1a',
    ]);
  });
});

describe('diff', () => {
  it.each([
    [0, { result: 'same', config: '3f9c1a' }, 'same: the fleet file says what runs (sha 3f9c1a)\n', ''],
    [
      1,
      { result: 'differs', config: '3f9c1a', changes: 'models', needs_restart: ['admin.listen'], problems: [] },
      'differs from sha 3f9c1a: models\nneeds a restart: admin.listen\n',
      '',
    ],
    [
      2,
      { result: 'invalid', config: '3f9c1a', problems: ['fleet.yaml:1:1: error: e'] },
      '',
      'fleet.yaml:1:1: error: e\nswitchyard: the fleet file is not valid, sha 3f9c1a goes on running\n',
    ],
  ])('ends with %i for %j', async (code, outcome, stdout, stderr) => {
    const admin = await fakeAdmin();
    admin.says('GET /diff', outcome);
    expect(await run(['diff', '--admin', admin.url])).toEqual({ code, signal: null, stdout, stderr });
    expect((await run(['diff', '--json', '--admin', admin.url])).stdout).toBe(`${JSON.stringify(outcome)}\n`);
  });
});

describe('healthcheck', () => {
  it('is quiet where the router lives, also where only the port of the callers is there', async () => {
    const admin = await fakeAdmin();
    admin.says('GET /livez', { status: 'ok' });
    expect(await run(['healthcheck', '--admin', admin.url])).toMatchObject({ code: 0, stdout: '', stderr: '' });
    const path = file(`server: { listen: "127.0.0.1:${admin.port}" }\nadmin: { listen: off }\n`);
    expect(await run(['healthcheck', '-c', path], { env: { SWITCHYARD_ADMIN_LISTEN: '' } })).toMatchObject({ code: 0 });
    expect(await run(['healthcheck'], { env: { SWITCHYARD_LISTEN: `0.0.0.0:${admin.port}` } })).toMatchObject({
      code: 0,
    });
  });

  it('ends with 1 and one line where it does not', async () => {
    const url = await nobody();
    const { code, stdout, stderr } = await run(['healthcheck', '--admin', url]);
    expect({ code, stdout, stderr }).toEqual({
      code: 1,
      stdout: '',
      stderr: `switchyard: No router lives at ${url}.\n`,
    });
    const admin = await fakeAdmin();
    admin.says('GET /livez', {}, { status: 503 });
    expect((await run(['healthcheck', '--admin', admin.url])).code).toBe(1);
  });
});
