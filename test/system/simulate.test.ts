import { describe, expect, it } from 'vitest';
import type { RouterProcess } from '../support/router-process.ts';
import { chat, modelsOf, readAll } from './caller.ts';
import { systemTest } from './of-test.ts';

const { engine, run, serve, start } = systemTest();

async function simulate(...args: readonly string[]): Promise<RouterProcess> {
  const simulated = start(['simulate', '--listen', '127.0.0.1:0', '--first-token', '0ms', ...args]);
  await simulated.when(({ stdout }) => stdout.endsWith('\n'));
  return simulated;
}

describe('a simulated backend in a process of its own', () => {
  it('prints its address, serves its models, and says in every answer that it is simulated', async () => {
    const simulated = await simulate('--model', 'x', '--model', 'y');
    expect(simulated.stdout).toBe(`${simulated.url}\n`);
    expect(await modelsOf(simulated)).toEqual(['x', 'y']);
    const plain = await chat(simulated, { model: 'x' });
    expect(plain.headers.get('x-simulated')).toBe('true');
    expect(await plain.text()).toMatch(/simulated/i);
    const { events, text } = await readAll(await chat(simulated, { model: 'y', stream: true }));
    expect(events.at(-1)).toBe('[DONE]');
    expect(text).toMatch(/simulated/i);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('ends at %s with exit code 0, also while it answers', async (signal) => {
    const simulated = await simulate('--model', 'x', '--tokens-per-second', '0.1');
    const response = await chat(simulated, { model: 'x', stream: true });
    simulated.signal(signal);
    expect(await simulated.ended).toEqual({ code: 0, signal: null });
    expect((await readAll(response)).broken).toBe(true);
    expect(simulated.stderr).toBe('');
  });

  it('is found out by a router and served like any other backend', async () => {
    const simulated = await simulate('--model', 'x');
    const router = await serve(['--backend', simulated.url]);
    expect(await modelsOf(router)).toEqual(['x']);
    expect((await readAll(await chat(router, { model: 'x', stream: true }))).events.at(-1)).toBe('[DONE]');
  });

  it('on a port in use says so in one line', async () => {
    const { port } = await engine();
    const { code, stdout, stderr } = await run(['simulate', '--listen', `127.0.0.1:${port}`]);
    expect(code).not.toBe(0);
    expect(stdout).toBe('');
    expect(stderr).toContain(`127.0.0.1:${port}`);
    expect(stderr).not.toContain('    at ');
  });
});
