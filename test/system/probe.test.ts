import { describe, expect, it } from 'vitest';
import { linesOf } from '../support/router-process.ts';
import { fault, hang, raw, reply } from '../support/scripted/behaviours.ts';
import { secrets, systemTest } from './of-test.ts';

const { engine, file, run } = systemTest();

const fleetOf = (...backends: readonly string[]) =>
  file(`version: 1\nbackends:\n${backends.map((text) => `  - ${text}\n`).join('')}`);

/** The row of a backend, without what is measured. */
function row(stdout: string, name: string): string {
  const found = linesOf(stdout).find((line) => line.startsWith(`${name} `)) ?? '';
  return found.replace(/\d+ ms/g, 'MS').replace(/ {2,}/g, ' | ');
}

describe('probe', () => {
  it('finds good backends good, with a word for each part', async () => {
    const [a, b] = await Promise.all([
      engine({ imitates: 'vllm', apiKey: secrets.token }),
      engine({ imitates: 'ollama' }),
    ]);
    const path = fleetOf(`{ name: a, url: "${a.url}", auth: { bearer: "\${TOKEN}" } }`, `{ name: b, url: "${b.url}" }`);
    const { code, stdout, stderr } = await run(['probe', '-c', path], { env: { TOKEN: secrets.token } });
    expect(linesOf(stdout)[0]).toMatch(/^BACKEND +ENGINE +HEALTH +MODELS +METRICS +AUTH +LATENCY +NOTE$/);
    expect(row(stdout, 'a')).toMatch(/^a \| vllm [\d.]+ \| ok \| 1 \| ok \| ok \| MS$/);
    expect(row(stdout, 'b')).toMatch(/^b \| ollama [\d.]+ \| ok \| 1 \| - \| ok \| MS$/);
    expect(stderr).toContain('2 of 2 backends usable.');
    expect(code).toBe(0);
    expect([...a.posts, ...b.posts]).toEqual([]);
  });

  it('says what to change, backend by backend, with the place in the file', async () => {
    const [keyed, wrong, mute, plain] = await Promise.all([
      engine({ imitates: 'vllm', apiKey: secrets.token }),
      engine({ imitates: 'vllm' }),
      engine({ imitates: 'vllm' }),
      engine({ imitates: 'vllm' }),
    ]);
    mute.override('/v1/models', hang());
    const path = fleetOf(
      `{ name: keyed, url: "${keyed.url}", engine: vllm }`,
      `{ name: wrong, url: "${wrong.url}", engine: sglang }`,
      `{ name: mute, url: "${mute.url}", probe: { timeout: 200ms } }`,
      `{ name: other, url: "${plain.url}/", models: [nobody-has-this], engine: vllm }`,
      `{ name: gone, url: "http://127.0.0.1:9", engine: ollama }`,
      `{ name: nameless, url: "http://no-such-host.invalid:1" }`,
      `{ name: tls, url: "${plain.url.replace('http', 'https')}" }`,
    );
    const { code, stdout, stderr } = await run(['probe', '-c', path]);
    expect(code).toBe(1);
    expect(row(stdout, 'keyed')).toContain('refused | MS | it wants a token: set backends[0].auth.bearer_file');
    expect(row(stdout, 'wrong')).toContain('vllm answers there, and backends[1].engine says sglang');
    expect(row(stdout, 'mute')).toContain('takes connections and does not answer in time');
    expect(row(stdout, 'other')).toContain('it has no nobody-has-this; it has test-model');
    expect(row(stdout, 'gone')).toBe(
      'gone | - | refused | - | - | - | - | connection refused at 127.0.0.1:9; is it running?',
    );
    expect(row(stdout, 'nameless')).toMatch(/no name .* can not be looked up/);
    expect(row(stdout, 'tls')).toContain('does not speak TLS: write http://');
    expect(stderr).toContain(`${path}:7:24: backend "gone": connection refused`);
    expect(stderr).toContain('0 of 7 backends usable.');
  });

  it('knows how each engine is made to tell its load', async () => {
    const [sglang, llamacpp] = await Promise.all([engine({ imitates: 'sglang' }), engine({ imitates: 'llamacpp' })]);
    for (const [path, status] of [
      ['/metrics', 404],
      ['/v1/loads', 404],
    ] as const)
      sglang.override(path, reply(status));
    llamacpp.override('/metrics', reply(501));
    const path = fleetOf(`{ name: s, url: "${sglang.url}" }`, `{ name: l, url: "${llamacpp.url}" }`);
    const { code, stdout } = await run(['probe', '-c', path]);
    expect(code).toBe(0);
    expect(row(stdout, 's')).toContain('| off | ok | MS | start it with --enable-metrics');
    expect(row(stdout, 'l')).toContain('| off | ok | MS | start it with --metrics');
  });

  it('tells a refused token from a missing one, and shows neither', async () => {
    const keyed = await engine({ imitates: 'sglang', apiKey: 'another' });
    const path = fleetOf(`{ name: keyed, url: "${keyed.url}", engine: sglang, auth: { bearer: "\${TOKEN}" } }`);
    const { code, stdout } = await run(['probe', '-c', path], { env: { TOKEN: secrets.token } });
    expect(code).toBe(1);
    expect(stdout).toContain('it refuses the token of backends[0].auth');
  });

  it('has a token generated when asked to, of one model where one is named', async () => {
    const [good, sick] = await Promise.all([engine({ models: ['small', 'large'] }), engine({ models: ['large'] })]);
    sick.respond(fault('internal', { as: 'status' }));
    const path = fleetOf(`{ name: good, url: "${good.url}" }`, `{ name: sick, url: "${sick.url}" }`);
    const both = await run(['probe', '-c', path, '--generate', '--model', 'large']);
    expect(both.code).toBe(1);
    expect(row(both.stdout, 'good')).toMatch(/MS \| MS$/);
    expect(row(both.stdout, 'sick')).toContain('MS | failed | generating a token failed: broken (HTTP 500)');
    expect(good.posts.map(({ json }) => [json['model'], json['max_tokens']])).toEqual([['large', 1]]);
    const one = await run(['probe', 'good', '-c', path, '--generate']);
    expect(one.code).toBe(0);
    expect(linesOf(one.stdout)).toHaveLength(2);
  });

  it('says whose backends it did not ask, because only a running router finds them', async () => {
    const a = await engine();
    const fleet = file(
      `version: 1\nbackends:\n  - { name: a, url: "${a.url}" }\n  - { name: lab, discover: { dns: lab.test, port: 1 } }\n`,
    );
    const { code, stderr } = await run(['probe', '-c', fleet]);
    expect({ code, stderr }).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('Not asked, because a running router finds them: those of lab.\n'),
    });
  });

  it('prints JSON for programs', async () => {
    const { url } = await engine({ imitates: 'vllm' });
    const path = fleetOf(`{ name: a, url: "${url}" }`, '{ name: gone, url: "http://127.0.0.1:9" }');
    const { code, stdout, stderr } = await run(['probe', '-c', path, '--json']);
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      backends: [
        { name: 'a', ok: true, dns: 'ok', tcp: 'ok', tls: null, engine: 'vllm', health: 'up', serves: ['test-model'] },
        { name: 'gone', ok: false, tcp: 'ECONNREFUSED', engine: null, at: `${path}:4:24` },
      ],
    });
  });

  it('survives whatever answers', async () => {
    const odd = await engine({ imitates: 'vllm' });
    odd.override('/v1/models', raw('SSH-2.0-OpenSSH_9.2\r\n'));
    const { code, stdout } = await run(['probe', '-c', fleetOf(`{ name: odd, url: "${odd.url}" }`)]);
    expect(code).toBe(1);
    expect(row(stdout, 'odd')).toContain('is not HTTP');
  });

  it('ends with 2 when the file is wrong, and with 1 for a backend or a model that is not there', async () => {
    expect(await run(['probe', '-c', file('version: 1\n')])).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('required at backends'),
    });
    const unknown = await run(['probe', 'nobody', '-c', 'config/fleet.yaml']);
    expect(unknown).toMatchObject({ code: 1, stderr: expect.stringContaining('no backend "nobody"; it has sim-a') });
    const model = await run(['probe', '--model', 'none', '-c', 'config/fleet.yaml']);
    expect(model).toMatchObject({ code: 1, stderr: expect.stringContaining('they serve demo-chat, demo-embed') });
  });
});
