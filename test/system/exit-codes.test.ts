import { describe, expect, it } from 'vitest';
import { linesOf } from '../support/router-process.ts';
import { chat } from './caller.ts';
import { secrets, systemTest } from './of-test.ts';

const { engine, file, run, serve } = systemTest();
const demo = ['serve', '--config', 'config/fleet.yaml'];

describe('serve ends with exit code 2', () => {
  it('and prints every problem of the file with its place', async () => {
    const path = file(
      [
        'version: 1',
        'server: { listen: nowhere }',
        'backends:',
        '  - url: ftp://10.0.0.1',
        '    weigth: 2',
        '  - engine: vlm',
        '    url: http://10.0.0.2:8000',
        '',
      ].join('\n'),
    );
    const { code, stdout, stderr } = await run(['serve', '-c', path]);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(linesOf(stderr)).toEqual([
      expect.stringMatching(/fleet\.yaml:2:19: error: .* at server\.listen/),
      expect.stringMatching(/fleet\.yaml:4:10: error: .* at backends\[0\]\.url/),
      expect.stringMatching(/fleet\.yaml:5:5: error: .*weigth.*did you mean "weight"/),
      expect.stringMatching(/fleet\.yaml:6:13: error: .* at backends\[1\]\.engine .*did you mean "vllm"/),
    ]);
  });

  it.each([
    ['a file that is not there', ['serve', '-c', 'no/such.yaml'], 'no/such.yaml: error: cannot read the fleet file'],
    ['a directory for a file', ['serve', '-c', 'config'], 'config: error: cannot read the fleet file'],
    ['a bad address', [...demo, '--listen', '127.0.0.1:port'], '--listen: error: '],
    ['a bad log level', [...demo, '--log-level', 'inf'], 'did you mean "info"?'],
  ])('for %s', async (_name, args, message) => {
    const { code, stdout, stderr } = await run(args);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    expect(linesOf(stderr)).toHaveLength(1);
    expect(stdout).toBe('');
  });

  it.each([' , ', ',', '  ', ''])('for API_KEYS=%j, which would leave the router open', async (keys) => {
    const { code, stderr } = await run([...demo, '--listen', '127.0.0.1:0'], { env: { API_KEYS: keys } });
    expect(code).toBe(2);
    expect(linesOf(stderr)).toEqual([expect.stringMatching(/^API_KEYS: error: .*without a key/)]);
  });

  it('for API_KEYS beside a file that wants no keys', async () => {
    const path = file('version: 1\nauth: { mode: none }\nbackends: [{ url: http://10.0.0.1:8000 }]\n');
    const { code, stderr } = await run(['serve', '-c', path], { env: { API_KEYS: secrets.key } });
    expect(code).toBe(2);
    expect(stderr).toContain('API_KEYS');
  });
});

describe('a port in use', () => {
  it('is told with the address and what to do, and exit code 3', async () => {
    const { port } = await engine();
    const { code, stdout, stderr } = await run([...demo, '--listen', `127.0.0.1:${port}`]);
    expect(code).toBe(3);
    expect(stdout).toBe('');
    const words = linesOf(stderr).filter((line) => !line.startsWith('{'));
    expect(words).toEqual([expect.stringContaining(`127.0.0.1:${port} is in use`)]);
    expect(words[0]).toContain('--listen');
  });

  it('of another running router is no different', async () => {
    const router = await serve(['--config', 'config/fleet.yaml']);
    const { code } = await run([...demo, '--listen', `127.0.0.1:${router.port}`]);
    expect(code).toBe(3);
    expect((await chat(router, { model: 'demo-chat' })).status).toBe(200);
  });
});

describe('an address that this machine does not have', () => {
  it('is told in one line, with exit code 1', async () => {
    const { code, stderr } = await run([...demo, '--listen', '192.0.2.1:8000'], { env: { API_KEYS: secrets.key } });
    expect(code).toBe(1);
    expect(linesOf(stderr).filter((line) => !line.startsWith('{'))).toEqual([
      expect.stringMatching(/^switchyard: .*192\.0\.2\.1/),
    ]);
  });
});

describe('API_KEYS', () => {
  it('guards /v1 with each of its keys, and nothing else', async () => {
    const vllm = await engine();
    const router = await serve(['--backend', vllm.url], { env: { API_KEYS: `${secrets.key}, second-key` } });
    expect(router.stdout).toContain('(API key needed)');
    const statusWith = async (headers: Readonly<Record<string, string>>) => (await chat(router, {}, headers)).status;
    expect(await statusWith({})).toBe(401);
    expect(await statusWith({ authorization: 'Bearer wrong' })).toBe(401);
    expect(await statusWith({ authorization: `Bearer ${secrets.key}` })).toBe(200);
    expect(await statusWith({ 'x-api-key': 'second-key' })).toBe(200);
    expect((await fetch(`${router.url}/v1/models`)).status).toBe(401);
    expect((await fetch(`${router.url}/v1/no-such-path`)).status).toBe(401);
    expect((await fetch(`${router.url}/readyz`)).status).toBe(200);
    expect(vllm.posts).toHaveLength(2);
    expect(vllm.posts.every(({ headers }) => headers.authorization === undefined)).toBe(true);
  });
});
