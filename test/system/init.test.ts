import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { secrets, systemTest } from './of-test.ts';

const { engine, run, serve } = systemTest();
const directories: string[] = [];
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

function somewhere(): string {
  const directory = mkdtempSync(join(tmpdir(), 'switchyard-'));
  directories.push(directory);
  return directory;
}

/** What else runs on the machine of the test may be found too, so only what the test has started is looked at. */
const scanning = (...urls: readonly string[]) => ['--scan', ...urls.map((url) => new URL(url).host)];

describe('init', () => {
  it('writes a fleet file with what it finds, that serve takes and fmt leaves alone', async () => {
    const cwd = somewhere();
    const [vllm, ollama] = await Promise.all([engine({ imitates: 'vllm' }), engine({ imitates: 'ollama' })]);
    const found = await run(['init', ...scanning(vllm.url, ollama.url)], { cwd });
    expect({ code: found.code, stderr: found.stderr }).toEqual({ code: 0, stderr: '' });
    expect(found.stdout).toMatch(/^Looking for model servers on this machine, /);
    expect(found.stdout).toMatch(new RegExp(`${vllm.url} +vllm +1 model: +test-model\n`));
    expect(found.stdout).toMatch(
      /\nWrote fleet\.yaml \(\d+ backends, schema line included\) and admin\.token\. Next: switchyard serve\n$/,
    );
    const text = readFileSync(join(cwd, 'fleet.yaml'), 'utf8');
    expect(text).toMatch(/^# yaml-language-server: \$schema=file:\/\/\/.*\/config\/fleet\.schema\.json\n/);
    expect(text).toContain(
      `  - name: local-${new URL(vllm.url).port}\n    engine: vllm # test-model\n    url: ${vllm.url}\n`,
    );
    expect(await run(['check', '--strict', '--probe'], { cwd })).toMatchObject({ code: 0 });
    expect(await run(['fmt', '--diff'], { cwd })).toMatchObject({ code: 0, stdout: '' });
    const router = await serve([], { cwd });
    expect(router.stdout).toMatch(/local-\d+ +vllm +up +test-model/);
    expect([...vllm.posts, ...ollama.posts]).toEqual([]);
  });

  it('makes a token for the admin listener, for its owner alone, and keeps one that is there', async () => {
    const cwd = somewhere();
    const { stdout } = await run(['init', '--yes'], { cwd });
    const path = join(cwd, 'admin.token');
    const token = readFileSync(path, 'utf8').trim();
    expect(token).toMatch(/^[\w-]{32}$/);
    expect(stdout).not.toContain(token);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    await run(['init', '--yes', '--output', 'other.yaml'], { cwd });
    expect(readFileSync(path, 'utf8').trim()).toBe(token);
    expect((await run(['check', '--strict', 'other.yaml'], { cwd })).code).toBe(0);
  });

  it('never writes over a file', async () => {
    const cwd = somewhere();
    expect((await run(['init', '--yes'], { cwd })).code).toBe(0);
    const before = readFileSync(join(cwd, 'fleet.yaml'), 'utf8');
    expect(await run(['init', '--yes'], { cwd })).toMatchObject({
      code: 4,
      stdout: '',
      stderr: expect.stringContaining('fleet.yaml exists already'),
    });
    expect(readFileSync(join(cwd, 'fleet.yaml'), 'utf8')).toBe(before);
    expect((await run(['init', '--yes', '--output', 'other.yaml'], { cwd })).stdout).toContain('serve -c other.yaml');
  });

  it('leaves a Switchyard out, also one that wants a key', async () => {
    const cwd = somewhere();
    const { url } = await engine();
    const router = await serve(['--backend', url], { env: { API_KEYS: secrets.key } });
    const found = await run(['init', ...scanning(router.url)], { cwd });
    expect(found).toMatchObject({ code: 0, stdout: expect.stringContaining(`${router.url}  is a Switchyard itself`) });
    expect(readFileSync(join(cwd, 'fleet.yaml'), 'utf8')).not.toContain(router.url);
  });

  it('writes down in a comment what wants a token', async () => {
    const cwd = somewhere();
    const locked = await engine({ imitates: 'sglang', apiKey: secrets.token });
    await run(['init', ...scanning(locked.url)], { cwd });
    const { port } = new URL(locked.url);
    const text = readFileSync(join(cwd, 'fleet.yaml'), 'utf8');
    expect(text).toContain(`  #   auth: { bearer: "\${LOCAL_${port}_TOKEN}" }\n`);
    expect((await run(['check'], { cwd })).code).toBe(0);
  });

  it('tells programs what it found, as JSON', async () => {
    const cwd = somewhere();
    const { url } = await engine({ imitates: 'llamacpp' });
    const { code, stdout } = await run(['init', '--json', ...scanning(url)], { cwd });
    expect(code).toBe(0);
    const backend = { name: `local-${new URL(url).port}`, url, engine: 'llamacpp', models: ['test-model'] };
    expect(JSON.parse(stdout)).toMatchObject({
      file: 'fleet.yaml',
      backends: expect.arrayContaining([backend]),
    });
  });

  it('takes no web server for a model server', async () => {
    const cwd = somewhere();
    const server = createServer((_request, response) => response.end('<h1>hello</h1>')).listen(0, '127.0.0.1');
    await new Promise((resolve) => void server.once('listening', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const { code, stdout } = await run(['init', '--scan', `127.0.0.1:${port}`], { cwd });
    server.closeAllConnections();
    server.close();
    expect(code).toBe(0);
    expect(stdout).not.toContain(`:${port} `);
  });

  it('says what is wrong with a place to look at or to write to', async () => {
    const cwd = somewhere();
    expect(await run(['init', '--scan', 'http://h/x'], { cwd })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('expected HOST or HOST:PORT'),
    });
    expect(await run(['init', '--output', 'no/such/fleet.yaml'], { cwd })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('cannot write no/such/fleet.yaml: no such file'),
    });
    expect(existsSync(join(cwd, 'fleet.yaml'))).toBe(false);
  });
});
