// The verbs and the router of the same release, which must understand each other.
import { appendFileSync, chmodSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { authoritiesOfTest } from '../support/certificates.ts';
import { linesOf } from '../support/router-process.ts';
import { stallsAfter } from '../support/scripted/behaviours.ts';
import { question, streamOver } from './caller.ts';
import { secrets, systemTest } from './of-test.ts';

const { engine, file, run, serve, start, wire } = systemTest();
const authority = authoritiesOfTest();
const withAdmin = { SWITCHYARD_ADMIN_LISTEN: '127.0.0.1:0' };

/** Two boxes, one with a model more, and a router in front of them that does not watch its file. */
async function twoBoxes() {
  const [a, b] = await Promise.all([engine({ models: ['test-model', 'only-a'] }), engine({ models: ['test-model'] })]);
  const token = file(`${secrets.token}\n`, 'admin.token');
  chmodSync(token, 0o600);
  const path = file(
    `version: 1\nadmin: { token_file: ${token} }\nbackends:\n  - { name: a, url: "${a.url}", weight: 3 }\n  - { name: b, url: "${b.url}" }\n`,
  );
  const router = await serve(['--config', path, '--no-watch'], { env: withAdmin });
  return { a, b, path, router, env: { SWITCHYARD_ADMIN: router.adminUrl, SWITCHYARD_CONFIG: path } };
}

describe('a running router', () => {
  it('is healthy, gives backends away and takes them back, and reads its file again, on the word of the verbs', async () => {
    const { url } = await engine();
    const token = file(`${secrets.token}\n`, 'admin.token');
    const path = file(
      `version: 1\nadmin: { token_file: ${token} }\nserver: { drain_delay: 0s }\nbackends:\n  - { name: gpu/a, url: ${url} }\n`,
    );
    const router = await serve(['--config', path], { env: { SWITCHYARD_ADMIN_LISTEN: '127.0.0.1:0' } });
    const env = { SWITCHYARD_ADMIN: router.adminUrl, SWITCHYARD_CONFIG: path };
    expect(await run(['healthcheck'], { env })).toMatchObject({ code: 0, stdout: '', stderr: '' });
    expect(await run(['drain', 'gpu/a'], { env })).toMatchObject({
      code: 0,
      stdout: 'gpu/a is draining: it is free.\n',
    });
    expect(await run(['undrain', 'gpu/a'], { env })).toMatchObject({ code: 0, stdout: 'gpu/a is enabled.\n' });
    expect(await run(['drain', 'x'], { env })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('No backend'),
    });
    expect(await run(['reload', '--json'], { env })).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/unchanged/),
    });
    appendFileSync(path, 'wieght: 2\n');
    expect(await run(['reload'], { env })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('unknown key "wieght"'),
    });
    const wrong = await run(['reload'], { env: { ...env, SWITCHYARD_ADMIN_TOKEN: 'wrong' } });
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining('does not accept this admin token') });
  });
});

describe('what is shown of a running router', () => {
  it('is its fleet, with 0 where all is well and 1 where a box is down', async () => {
    const { b, env } = await twoBoxes();
    const well = await run(['status'], { env });
    expect(well).toMatchObject({ code: 0, stderr: '' });
    expect(linesOf(well.stdout)).toEqual([
      expect.stringMatching(/^BACKEND +ENGINE +STATE +INFLIGHT/),
      expect.stringMatching(/^a +vllm +up +0/),
      expect.stringMatching(/^b +vllm +up +0/),
    ]);
    const json = await run(['status', '--json'], { env });
    expect(json.code).toBe(0);
    expect(JSON.parse(json.stdout)).toMatchObject({ phase: 'ready', backends: [{ name: 'a' }, { name: 'b' }] });
    await b.close();
    await expect.poll(async () => (await run(['status'], { env })).code, { timeout: 60_000 }).toBe(1);
    expect((await run(['status'], { env })).stdout).toMatch(/^b +vllm +down .*\n[^]*^b is down: connection refused/m);
    expect((await run(['status', '--json'], { env })).code).toBe(1);
  });

  it('goes on with --watch when the router is gone, says so, and ends at SIGINT', async () => {
    const { router } = await twoBoxes();
    const watch = start(['status', '--watch', '--admin', router.adminUrl]);
    await watch.when(({ stdout }) => /^b +vllm +up/m.test(stdout));
    await router.kill();
    await watch.when(({ stderr }) => stderr.includes('connection refused'));
    expect(watch.running).toBe(true);
    watch.signal('SIGINT');
    expect(await watch.ended).toEqual({ code: 0, signal: null });
  });

  it('is where a request would go and why not elsewhere, and which models there are', async () => {
    const { env } = await twoBoxes();
    const { stdout } = await run(['explain', '--model', 'only-a'], { env });
    expect(stdout).toMatch(/^only-a \(chat-completions, [a-z-]+\) goes to a\.$/m);
    expect(await run(['drain', 'a'], { env })).toMatchObject({ code: 0 });
    const body = file(JSON.stringify({ ...question, max_tokens: 9 }), 'body.json');
    const other = await run(['explain', '--prompt-file', body], { env });
    expect(other).toMatchObject({ code: 0, stderr: '' });
    expect(other.stdout).toContain('goes to b.');
    expect(other.stdout).toMatch(/^b +winner/m);
    expect(other.stdout).toMatch(/^a +excluded .*drain/m);
    const strange = await run(['explain', '--model', 'no-such-model'], { env });
    expect(strange).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('no-such-model') });
    const models = await run(['models'], { env });
    expect(models.stdout).toMatch(/^test-model +1\/2 .*a \(.*drain.*\), b$/m);
    expect(models.stdout).toMatch(/^only-a +0\/1 /m);
  });

  it('is what a reload would change: with 0 nothing, with 1 something, with 2 that the file is not valid', async () => {
    const { env, path } = await twoBoxes();
    expect(await run(['diff'], { env })).toMatchObject({ code: 0, stdout: expect.stringMatching(/^same/) });
    appendFileSync(path, '  - { name: c, engine: simulated }\nmetrics: { tenants: false }\n');
    const differs = await run(['diff'], { env });
    expect(differs).toMatchObject({ code: 1, stderr: '' });
    expect(differs.stdout).toMatch(
      /^differs from sha [0-9a-f]{6}: \+1 backend \(c\), metrics\nneeds a restart: metrics\n$/,
    );
    appendFileSync(path, 'wieght: 2\n');
    const invalid = await run(['diff'], { env });
    expect(invalid).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('unknown key "wieght"') });
    expect((await run(['models'], { env })).stdout).not.toContain('c');
  });
});

describe('drain --wait', () => {
  it('comes back when the last stream of the box has ended, and says meanwhile what is still there', async () => {
    const { a, b, router, env } = await twoBoxes();
    for (const box of [a, b]) box.respond(stallsAfter(2));
    const caller = await wire(router.port);
    caller.send(streamOver());
    await caller.when(({ received }) => received.includes('data: '));
    const [, name = ''] = /x-switchyard-backend: (\w)/.exec(caller.received) ?? [];
    const drain = start(['drain', name, '--wait'], { env });
    await drain.when(({ stderr }) => stderr.includes(`${name}: 1 request still in flight`));
    expect(drain.running).toBe(true);
    expect(drain.stdout).toBe('');
    caller.destroy();
    expect(await drain.ended).toEqual({ code: 0, signal: null });
    expect(drain.stdout).toBe(`${name} is draining: it is free.\n`);
    expect(await run(['undrain', name], { env })).toMatchObject({ code: 0, stdout: `${name} is enabled.\n` });
    expect((await run(['status'], { env })).stdout).not.toMatch(/drain/);
  });
});

describe('healthcheck', () => {
  it.each(['', ', client_ca_file: CA'])(
    'asks the port of the callers over TLS, whose certificate it can not know%s',
    async (more) => {
      const ca = authority();
      const { certFile, keyFile } = ca.sign({ names: 'DNS:llm.example.com' });
      const tls = `{ cert_file: ${certFile}, key_file: ${keyFile}${more.replace('CA', ca.caFile)} }`;
      const path = file(`version: 1\nserver: { tls: ${tls} }\nbackends: [{ name: demo, engine: simulated }]\n`);
      const router = await serve(['--config', path]);
      expect(router.url).toMatch(/^https:/);
      const env = { SWITCHYARD_LISTEN: `0.0.0.0:${router.port}`, SWITCHYARD_CONFIG: path };
      expect(await run(['healthcheck'], { env })).toEqual({ code: 0, signal: null, stdout: '', stderr: '' });
      const admin = await run(['healthcheck', '--admin', router.url.replace('127.0.0.1', 'localhost')]);
      expect(admin).toMatchObject({ code: 0, stderr: '' });
      await router.kill();
      expect(await run(['healthcheck'], { env })).toMatchObject({
        code: 1,
        stderr: `switchyard: No router lives at ${router.url}.\n`,
      });
    },
  );
});
