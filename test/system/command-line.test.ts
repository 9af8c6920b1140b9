import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../support/router-process.ts';
import { systemTest } from './of-test.ts';

const { run } = systemTest();

describe('a word that is not known', () => {
  it.each([
    [['serv'], 'serve'],
    [['chek', 'fleet.yaml'], 'check'],
    [['serve', '--lisen', 'x'], '--listen'],
    [['serve', '--backends', 'x'], '--backend'],
    [['check', '--formt', 'json'], '--format'],
    [['simulate', '--modle', 'x'], '--model'],
  ])('in %j is answered with the one that was probably meant', async (args, meant) => {
    const { code, stdout, stderr } = await run(args);
    expect(code).toBe(1);
    expect(stderr).toContain(`Did you mean ${meant}?`);
    expect(stdout).toBe('');
  });

  it.each([
    [['check', '--format', 'xml'], /text, json, github/],
    [['serve', 'fleet.yaml'], /too many arguments/],
    [['simulate', '--listen', 'here'], /host:port/],
    [['simulate', '--first-token', 'soon'], /--first-token/],
    [['simulate', '--tokens-per-second', '-1'], /above 0/],
  ])('in %j is answered with what is possible', async (args, message) => {
    const { code, stderr } = await run(args);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
    expect(stderr).not.toContain('    at ');
  });
});

describe('help', () => {
  it.each([
    ['serve', ['--config', '--listen', '--log-level', '--backend', 'Examples:']],
    ['check', ['--format', '--strict', 'Exit code:']],
    ['init', ['--yes', '--scan', '--output', '--json', 'Examples:', 'Exit code:']],
    ['fmt', ['--write', '--diff', 'Examples:', 'Exit code:']],
    ['plan', ['--against', '--admin', '--no-probe', '--json', 'Examples:', 'Exit code:']],
    ['probe', ['--model', '--generate', '--json', 'Examples:', 'Exit code:']],
    ['schema', ['Examples:', 'Exit code:']],
    ['simulate', ['--listen', '--model', '--first-token', '--tokens-per-second']],
    ['status', ['--watch', '--json', '--admin', '--config']],
    ['models', ['--json']],
    ['explain', ['--model', '--endpoint', '--needs', '--prompt-file', '--tenant', '--json']],
    ['drain', ['--wait', '--json', '--token-file']],
    ['undrain', ['--json', '--token-file']],
    ['reload', ['--allow-empty', '--token-file']],
    ['diff', ['--json']],
    ['healthcheck', ['--admin']],
    ['completion', ['bash, zsh or fish']],
    ['version', ['--json']],
  ])('of %s shows its options, examples and exit codes', async (verb, words) => {
    const { code, stdout, stderr } = await run([verb, '--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(`Usage: switchyard ${verb} `);
    for (const word of [...words, `Examples:\n  $ `, 'switchyard ', 'Exit code: 0 ']) expect(stdout).toContain(word);
  });

  it('of the whole names every verb, and comes by itself when there is none', async () => {
    const asked = await run(['--help']);
    expect(asked.code).toBe(0);
    for (const verb of ['serve', 'check', 'simulate']) expect(asked.stdout).toMatch(new RegExp(`^  ${verb} `, 'm'));
    const unasked = await run([]);
    expect(unasked.code).toBe(1);
    expect(unasked.stderr).toBe(asked.stdout);
  });
});

describe('output that nobody reads to its end', () => {
  it.each([['schema'], ['fmt', 'config/fleet.example.yaml'], ['check', 'config/fleet.yaml', '--print']])(
    'ends %s quietly',
    async (...args) => {
      const child = spawn(process.execPath, [join(root, 'src/main.ts'), ...args], { cwd: root });
      child.stdout.destroy();
      let said = '';
      child.stderr.on('data', (chunk: unknown) => (said += String(chunk)));
      const [code]: unknown[] = await once(child, 'close');
      expect({ code, said }).toEqual({ code: 0, said: '' });
    },
  );
});

describe('the version', () => {
  it('is that of the package, wherever it is asked for', async () => {
    expect(await run(['--version'], { cwd: '/' })).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
      stderr: '',
    });
    const { default: manifest }: { default: { version: string } } = await import(`${root}/package.json`, {
      with: { type: 'json' },
    });
    expect((await run(['-V'])).stdout.trim()).toBe(manifest.version);
    const { stdout } = await run(['version', '--json']);
    expect(JSON.parse(stdout)).toEqual({ version: manifest.version, revision: null, node: process.version });
    expect((await run(['version'])).stdout).toBe(
      `switchyard ${manifest.version} (revision unknown, node ${process.version})\n`,
    );
  });
});
