import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { chat, modelsOf } from './caller.ts';
import { systemTest } from './of-test.ts';

const { engine, file, run, serve } = systemTest();

async function twoEngines() {
  return Promise.all([
    engine({ imitates: 'vllm', models: ['chat-model'] }),
    engine({ imitates: 'ollama', models: ['small-model'] }),
  ]);
}

describe('a fleet without a file', () => {
  it('is made of --backend URLs, whose engines and models are found out', async () => {
    const [vllm, ollama] = await twoEngines();
    const router = await serve(['--backend', vllm.url, '--backend', ollama.url]);
    expect(router.stdout).toMatch(new RegExp(`127\\.0\\.0\\.1:${vllm.port} +vllm +up +chat-model`));
    expect(router.stdout).toMatch(new RegExp(`127\\.0\\.0\\.1:${ollama.port} +ollama +up +small-model`));
    expect((await chat(router, { model: 'small-model' })).headers.get('x-switchyard-backend')).toBe(
      `127.0.0.1:${ollama.port}`,
    );
    expect([vllm.posts.length, ollama.posts.length]).toEqual([0, 1]);
  });

  it('takes several URLs behind one --backend', async () => {
    const [vllm, ollama] = await twoEngines();
    const router = await serve(['--backend', `${vllm.url}/v1`, ollama.url]);
    expect(await modelsOf(router)).toEqual(['chat-model', 'small-model']);
  });

  it('is OPENAI_BASE_URL when there is neither a flag nor a file', async () => {
    const vllm = await engine();
    const router = await serve([], { env: { OPENAI_BASE_URL: `${vllm.url}/v1` } });
    expect(router.stdout).toContain('fleet OPENAI_BASE_URL');
    expect((await chat(router)).status).toBe(200);
    expect(vllm.posts).toHaveLength(1);
  });

  it('says that it has no fleet when nothing names one', async () => {
    const empty = dirname(file('', 'unrelated.txt'));
    const { code, stdout, stderr } = await run(['serve', '--listen', '127.0.0.1:0'], { cwd: empty });
    expect(code).toBe(2);
    expect(stderr).toContain('fleet.yaml');
    expect(stdout).toBe('');
  });

  it('with a URL that is none says so, without the place in a text that nobody wrote', async () => {
    const { code, stderr } = await run(['serve', '--backend', 'ftp://10.0.0.1']);
    expect(code).toBe(2);
    expect(stderr).toContain('--backend: error: ');
    expect(stderr).not.toContain(':1:');
  });
});

describe('the short form', () => {
  it('of a fleet file is a list of URLs', async () => {
    const [vllm, ollama] = await twoEngines();
    const path = file(`version: 1\nbackends: [{ url: ${vllm.url} }, { url: ${ollama.url} }]\n`);
    const router = await serve(['-c', path]);
    expect(await modelsOf(router)).toEqual(['chat-model', 'small-model']);
    expect((await chat(router, { model: 'chat-model' })).status).toBe(200);
    expect((await chat(router, { model: 'small-model' })).status).toBe(200);
  });

  it('is found as fleet.yaml in the working directory, and wins over OPENAI_BASE_URL', async () => {
    const [vllm, ollama] = await twoEngines();
    const path = file(`version: 1\nbackends:\n  - url: ${vllm.url}\n`);
    const router = await serve([], { cwd: dirname(path), env: { OPENAI_BASE_URL: ollama.url } });
    expect(await modelsOf(router)).toEqual(['chat-model']);
  });

  it('is found by SWITCHYARD_CONFIG, and its address is overruled by SWITCHYARD_LISTEN', async () => {
    const vllm = await engine();
    const path = file(`version: 1\nserver: { listen: 127.0.0.1:1 }\nbackends: [{ url: ${vllm.url} }]\n`, 'other.yaml');
    // --listen, which `serve` of this test passes, would win.
    const { code, stderr } = await run(['serve'], {
      env: { SWITCHYARD_CONFIG: path, SWITCHYARD_LISTEN: `127.0.0.1:${(await engine()).port}` },
    });
    expect(code).toBe(3);
    expect(stderr).not.toContain('127.0.0.1:1 ');
    const router = await serve([], { env: { SWITCHYARD_CONFIG: path, SWITCHYARD_LISTEN: '127.0.0.1:1' } });
    expect(await modelsOf(router)).toEqual(['test-model']);
  });

  it('serves what is up while another backend is not there', async () => {
    const [vllm, ollama] = await twoEngines();
    await ollama.refuse();
    const router = await serve(['--backend', vllm.url, '--backend', ollama.url]);
    expect(router.stdout).toMatch(new RegExp(`127\\.0\\.0\\.1:${ollama.port} +auto +down +-`));
    expect((await chat(router, { model: 'chat-model' })).status).toBe(200);
  });
});
