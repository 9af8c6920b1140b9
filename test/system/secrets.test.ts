// `systemTest` looks for every secret in every output; here they go where they would be easiest to print.
import { describe, expect, it } from 'vitest';
import { answer, errorAfter, diesAfter, hangUp, reply } from '../support/scripted/behaviours.ts';
import { exchangeBytes, post } from '../support/raw-http.ts';
import type { RouterProcess } from '../support/router-process.ts';
import { chat, readAll } from './caller.ts';
import { secrets, systemTest } from './of-test.ts';

const { engine: startEngine, file, run, serve } = systemTest();
const { prompt, key, token } = secrets;
const bearer = { authorization: `Bearer ${key}` };

/** Everything the process has printed, once `count` requests are in its log. */
async function printed(router: RouterProcess, count: number): Promise<string> {
  await router.when(({ stderr }) => (stderr.match(/"request_id"/g) ?? []).length >= count);
  router.signal('SIGINT');
  await router.ended;
  return router.stdout + router.stderr;
}

function secretsIn(text: string): readonly string[] {
  return Object.values(secrets).filter((secret) => text.includes(secret));
}

describe('at the most talkative log level, no prompt, answer or key is printed', () => {
  const open = { env: { API_KEYS: key } };

  it('of requests that succeed', async () => {
    const engine = await startEngine();
    engine.respond(() => answer({ pieces: [secrets.answer] }));
    const router = await serve(['--backend', engine.url, '--log-level', 'trace'], open);
    expect(await (await chat(router, {}, bearer)).text()).toContain(secrets.answer);
    expect((await readAll(await chat(router, { stream: true }, bearer))).text).toContain(secrets.answer);
    expect(engine.posts.every(({ body }) => body.includes(prompt))).toBe(true);
    expect(secretsIn(await printed(router, 2))).toEqual([]);
  });

  it('of backends that fail and quote the prompt', async () => {
    const engine = await startEngine();
    const router = await serve(['--backend', engine.url, '--log-level', 'trace'], open);
    const quoting = { error: { message: `cannot parse ${prompt}` } };
    for (const behaviour of [
      reply(400, quoting),
      reply(500, quoting),
      reply(200, `not JSON: ${prompt}`, { 'content-type': 'application/json' }),
      reply(302, prompt, { location: `http://127.0.0.1/${prompt}` }),
      hangUp('reset'),
      errorAfter(3, quoting),
      diesAfter(2, 'reset', { pieces: [secrets.answer, secrets.answer, secrets.answer] }),
    ]) {
      engine.respond(behaviour);
      await readAll(await chat(router, { stream: true }, bearer));
    }
    expect(secretsIn(await printed(router, 7))).toEqual([]);
  });

  it('of requests that are wrong', async () => {
    const engine = await startEngine();
    const router = await serve(['--backend', engine.url, '--log-level', 'trace'], open);
    const path = '/v1/chat/completions';
    const header = `authorization: Bearer ${key}`;
    await chat(router, {}, { authorization: `Bearer not-${key}` });
    await chat(router, { model: prompt }, bearer);
    await chat(router, { messages: prompt, model: 7 }, bearer);
    await exchangeBytes(router.port, post(path, `{"messages":"${prompt}`, [header]));
    await exchangeBytes(router.port, post(`${path}?api_key=${key}&q=${prompt}`, '{}', [header]));
    await exchangeBytes(router.port, post(`/v1/${prompt}/${key}`, prompt, [header]));
    await exchangeBytes(router.port, `GET /v1/models HTTP/1.1\r\nhost: x\r\n${header}\r\n: ${prompt}\r\n\r\n`);
    await exchangeBytes(router.port, `GET /v1/models/${prompt} HTTP/1.1\r\nhost: x\r\n${header}\r\n\r\n`);
    expect(secretsIn(await printed(router, 7))).toEqual([]);
  });

  it('of a backend whose own key is wrong', async () => {
    const engine = await startEngine({ apiKey: 'another-one' });
    const path = file(
      `version: 1\nbackends: [{ url: "${engine.url}", engine: vllm, auth: { bearer: "\${TOKEN}" } }]\n`,
    );
    const router = await serve(['-c', path, '--log-level', 'trace'], { env: { TOKEN: token } });
    expect(engine.journal.some(({ headers }) => headers.authorization === `Bearer ${token}`)).toBe(true);
    expect((await chat(router, {}, bearer)).status).toBeGreaterThanOrEqual(400);
    expect(secretsIn(await printed(router, 1))).toEqual([]);
  });
});

describe('a fleet file with mistakes is explained without its secrets', () => {
  it.each([
    ['a password in a URL', `backends: [{ url: "http://user:${token}@10.0.0.1:8000" }]`],
    [
      'a key where a tenant belongs',
      `auth: { keys: [{ tenant: [${key}], key: ${key} }] }\nbackends: [{ url: http://a }]`,
    ],
    ['a key that is a list', `auth: { keys: [{ tenant: a, key: [${key}] }] }\nbackends: [{ url: http://a }]`],
    ['a key in the file', `auth: { keys: [{ tenant: a, key: ${key} }] }\nbackends: [{ url: http://a }]`],
    [
      'a key twice',
      `auth: { keys: [{ tenant: a, key: ${key} }, { tenant: b, key: ${key} }] }\nbackends: [{ url: http://a }]`,
    ],
    ['a token with a newline', `backends: [{ url: http://a, auth: { bearer: "${token}\\nx" } }]`],
    ['YAML that breaks off behind a key', `auth: { keys: [{ tenant: a, key: "${key}\nbackends: [{ url: http://a }]`],
    ['a tab in front of a key', `auth:\n\tkeys: [{ tenant: a, key: ${key} }]`],
    ['an alias of a key', `auth: { keys: [{ tenant: a, key: *${key} }] }`],
  ])('%s', async (_name, text) => {
    const input = `version: 1\n${text}\n`;
    const checked = await Promise.all(
      ['text', 'json', 'github'].map((format) => run(['check', '--strict', '--format', format, '-'], { input })),
    );
    for (const { code, stdout, stderr } of checked) {
      expect(code).toBeGreaterThan(0);
      expect(stdout + stderr).toContain('<stdin>');
      expect(secretsIn(stdout + stderr)).toEqual([]);
    }
  });
});
