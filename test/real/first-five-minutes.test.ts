// The first five minutes of an operator who has never seen the router, in front of a real llama-server: from a fresh clone to a
// backend that was taken out for maintenance. Every line that such an operator goes by is looked at.
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI from 'openai';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Installed, installPacked, npm, quietly } from '../support/packed.ts';
import { freePort } from '../support/redis/free-port.ts';
import { root } from '../support/router-process.ts';
import { startLlamaServer } from './llama-server.ts';
import { run } from './run.ts';
import type { ServerProcess } from './server-process.ts';

/** What the whole of it may take, a llama-server that runs already left out. */
const twoMinutesMs = 120_000;

const model = 'tiny-gemma';
let [first, second]: ServerProcess[] = [];
let folder = '';

beforeAll(async () => {
  [first, second] = await Promise.all([model, model].map((alias) => startLlamaServer({ alias })));
  folder = mkdtempSync(join(tmpdir(), 'switchyard-first-'));
});
afterAll(async () => {
  await Promise.all([first?.stop(), second?.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

test(
  'a fresh clone, a running llama-server, and five minutes',
  async () => {
    const startedMs = performance.now();
    const [listen, admin] = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`];
    const switchyard = await freshlyCloned({ SWITCHYARD_LISTEN: listen, SWITCHYARD_ADMIN_LISTEN: admin });
    const box = `local-${portOf(first)}`;

    const init = await switchyard.npx('init', '--scan', new URL(urlOf(first)).host);
    expect(init).toMatchObject({ code: 0, stderr: '' });
    expect(init.stdout).toMatch(/^Looking for model servers on this machine, .*…\n/);
    expect(init.stdout).toMatch(new RegExp(`  ${urlOf(first)} +llamacpp +1 model: +${model}\n`));
    expect(init.stdout).toMatch(
      /Wrote fleet\.yaml \(.*schema line included\) and admin\.token\. Next: npx switchyard serve\n$/,
    );

    const router = watched(switchyard.start('serve'));
    try {
      await router.says(/Ready in \d+\.\d s\. Watching fleet\.yaml\.\n/);
      expect(router.stdout()).toMatch(/^switchyard 0\.1\.0  fleet fleet\.yaml \(sha [0-9a-f]{6}\)  node v\d+/);
      expect(router.stdout()).toMatch(new RegExp(`  ${box} +llamacpp +up +${model}\n`));
      expect(router.stdout()).toContain(`Clients:  http://${listen}/v1  (no API key: loopback only)\n`);
      expect(router.stdout()).toContain(`Status:   http://${admin}/  (drain and reload need the token)\n`);
      expect(router.stdout()).toContain(`Metrics:  http://${listen}/metrics\n`);

      const answer = await fetch(`http://${listen}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ model, max_tokens: 8, messages: [{ role: 'user', content: 'hi' }] }),
      });
      expect(answer.status).toBe(200);
      expect(answer.headers.get('x-switchyard-backend')).toMatch(/^local-\d+$/);
      expect(answer.headers.get('x-switchyard-attempts')).toBe('1');
      expect(answer.headers.get('server-timing')).toMatch(/route;dur=.*ttft;dur=/);
      expect(await answer.json()).toMatchObject({ choices: [{ message: { role: 'assistant' } }] });
      const sdk = new OpenAI({ baseURL: `http://${listen}/v1`, apiKey: 'unused' });
      const streamed = await sdk.chat.completions.create({
        model,
        stream: true,
        max_tokens: 8,
        messages: [{ role: 'user', content: 'Count to ten.' }],
      });
      const reasons: (string | null | undefined)[] = [];
      for await (const chunk of streamed) reasons.push(chunk.choices[0]?.finish_reason);
      expect(reasons.length).toBeGreaterThan(3);
      expect(reasons.filter((reason) => typeof reason === 'string')).toEqual(['length']);
      process.stdout.write(`first answers ${seconds(startedMs)} after the clone began\n`);

      // A second box, with a mistake in it.
      const fleetFile = join(folder, 'install', 'fleet.yaml');
      appendFileSync(fleetFile, `  - name: gpu-b\n    url: ${urlOf(second)}\n    wieght: 2\n`);
      const line = readFileSync(fleetFile, 'utf8').split('\n').length - 1;
      const problem = new RegExp(
        `fleet\\.yaml:${line}:5: error: unknown key \\\\?"wieght\\\\?" at backends\\[\\d+\\] \\(did you mean \\\\?"weight\\\\?"\\?\\)`,
      );
      await router.logs(/reload refused: the fleet stays as it was/);
      expect(router.stderr()).toMatch(problem);
      const check = await switchyard.npx('check');
      expect(check.code).toBe(2);
      expect(check.stderr).toMatch(problem);
      expect((await switchyard.npx('status')).stdout).toMatch(problem);

      writeFileSync(fleetFile, readFileSync(fleetFile, 'utf8').replace('wieght', 'weight'));
      await router.logs(/reloaded: \+1 backend \(gpu-b\)/);
      const status = await switchyard.npx('status');
      expect(status.code).toBe(0);
      expect(status.stdout).toMatch(/^BACKEND +ENGINE +STATE +INFLIGHT +WAITING +KV +TTFT p95 +LAST CHANGE\n/);
      expect(status.stdout).toMatch(new RegExp(`\n${box} +llamacpp +up +0/4 `));
      expect(status.stdout).toMatch(/\ngpu-b +llamacpp +up +0\/4 .*\d+ s ago\n/);
      const explained = await switchyard.npx('explain', '--model', model);
      expect(explained.stdout).toMatch(/goes to gpu-b\.\n/);

      // Maintenance: it takes nothing new.
      const drained = await switchyard.npx('drain', 'gpu-b', '--wait');
      expect(drained).toMatchObject({ code: 0, stdout: expect.stringContaining('gpu-b is draining') });
      expect((await switchyard.npx('status')).stdout).toMatch(/\ngpu-b +llamacpp +draining +0/);
      expect((await switchyard.npx('undrain', 'gpu-b')).code).toBe(0);
      const page = await fetch(`http://${admin}/`);
      expect(await page.text()).toContain('/page.js');
    } finally {
      await router.end();
    }
    process.stdout.write(`the first five minutes took ${seconds(startedMs)}\n`);
  },
  twoMinutesMs,
);

async function freshlyCloned(env: Readonly<Record<string, string>>): Promise<Installed> {
  const [clone, install] = [join(folder, 'clone'), join(folder, 'install')];
  mkdirSync(install);
  await run('git', ['clone', '--quiet', '--depth', '1', `file://${root}`, clone]);
  await npm(['ci', '--ignore-scripts', ...quietly], clone);
  return installPacked(clone, install, env);
}

function watched(child: ChildProcessWithoutNullStreams) {
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const until = async (stream: NodeJS.ReadableStream, holds: () => boolean) => {
    while (!holds()) await once(stream, 'data');
  };
  return {
    stdout: () => stdout,
    stderr: () => stderr,
    says: (pattern: RegExp) => until(child.stdout, () => pattern.test(stdout)),
    logs: (pattern: RegExp) => until(child.stderr, () => pattern.test(stderr)),
    async end() {
      const over = once(child, 'exit');
      child.kill('SIGINT');
      await over;
    },
  };
}

function urlOf(server: ServerProcess | undefined): string {
  if (server === undefined) throw new Error('no llama-server');
  return server.url;
}

function portOf(server: ServerProcess | undefined): string {
  return new URL(urlOf(server)).port;
}

function seconds(sinceMs: number): string {
  return `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`;
}
