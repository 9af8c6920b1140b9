import { describe, expect, it } from 'vitest';
import { linesOf } from '../support/router-process.ts';
import { chat, modelsOf, readAll } from './caller.ts';
import { systemTest } from './of-test.ts';

const { serve } = systemTest();
const demo = ['--config', 'config/fleet.yaml'];

describe('the fleet that npm start serves', () => {
  it('is shown in an overview: every backend, its state and its models, and where clients go', async () => {
    const router = await serve(demo);
    const lines = linesOf(router.stdout).map((line) => line.trim().split(/\s{2,}/));
    expect(lines).toEqual([
      [
        expect.stringMatching(/^switchyard \d/),
        expect.stringContaining('config/fleet.yaml'),
        `node ${process.version}`,
      ],
      ['BACKEND', 'ENGINE', 'STATE', 'MODELS'],
      ['sim-a', 'simulated', 'up', 'demo-chat'],
      ['sim-b', 'simulated', 'up', 'demo-chat'],
      ['sim-embed', 'simulated', 'up', 'demo-embed'],
      ['Clients:', `${router.url}/v1`, '(no API key: loopback only)'],
      ['Metrics:', `${router.url}/metrics`],
      [expect.stringMatching(/^Ready in \d+\.\d s\. Watching config\/fleet\.yaml\.$/)],
    ]);
  });

  it('streams a chat to its [DONE], and says that it is simulated', async () => {
    const router = await serve(demo);
    const { text, events, broken } = await readAll(await chat(router, { model: 'demo-chat', stream: true }));
    expect(broken).toBe(false);
    expect(events.at(-1)).toBe('[DONE]');
    expect(text).toMatch(/simulated/i);
  });

  it('answers plain chats and embeddings, and lists its models', async () => {
    const router = await serve(demo);
    const plain = await chat(router, { model: 'demo-chat' });
    expect(plain.status).toBe(200);
    expect(await plain.text()).toMatch(/simulated/i);
    const embeddings = await fetch(`${router.url}/v1/embeddings`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'demo-embed', input: 'x' }),
    });
    expect(embeddings.status).toBe(200);
    expect(await modelsOf(router)).toEqual(['demo-chat', 'demo-embed']);
    expect((await fetch(`${router.url}/readyz`)).status).toBe(200);
  });

  it('ends at an interrupt with exit code 0, without waiting for load balancers to notice', async () => {
    const router = await serve(demo);
    await (await chat(router, { model: 'demo-chat' })).text();
    router.signal('SIGINT');
    expect(await router.ended).toEqual({ code: 0, signal: null });
    expect(router.log.at(-1)).toMatchObject({ msg: 'stopped' });
  });
});

describe('outputs', () => {
  it('are kept apart: only the overview on the one, one JSON object per line on the other', async () => {
    const router = await serve(demo);
    const overview = router.stdout;
    await readAll(await chat(router, { model: 'demo-chat', stream: true }));
    await (await chat(router, { model: 'nobody' })).text();
    router.signal('SIGINT');
    await router.ended;
    expect(router.stdout).toBe(overview);
    const requests = router.log.filter((line) => JSON.stringify(line).includes('"request_id"'));
    expect(requests).toMatchObject([
      { level: 30, model: 'demo-chat', outcome: 'ok', status: 200, stream: true, time: expect.stringMatching(/Z$/) },
      { outcome: 'model_not_found', status: 404 },
    ]);
  });

  it('can be silent but for the overview', async () => {
    const router = await serve([...demo, '--log-level', 'silent']);
    await (await chat(router, { model: 'demo-chat' })).text();
    router.signal('SIGINT');
    await router.ended;
    expect(router.stderr).toBe('');
    expect(router.stdout).toContain('Clients:');
  });
});
