// Completion in the shell that is everywhere; what the others get is read off the same words.
import { execFile } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { createProgram } from '../../src/cli/index.ts';
import { aBackendReport, aReport, fakeAdminsOfTest } from '../support/fake-admin.ts';
import { linesOf, root } from '../support/router-process.ts';
import { systemTest } from './of-test.ts';

const { file, run } = systemTest();
const fakeAdmin = fakeAdminsOfTest();

/** What bash offers behind these words; the last one is being typed. */
async function offered(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<readonly string[]> {
  const { stdout: script } = await run(['completion', 'bash']);
  const command = file(`#!/bin/sh\nexec ${process.execPath} ${join(root, 'src/main.ts')} "$@"\n`, 'switchyard');
  chmodSync(command, 0o755);
  const asked = `${script}
compopt() { :; } # only a completion that runs may call it
COMP_WORDS=(switchyard "$@") COMP_CWORD=$#
_switchyard
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const options = { cwd: root, env: { ...process.env, ...env, PATH: `${dirname(command)}:${process.env['PATH']}` } };
  const { stdout, stderr } = await promisify(execFile)('bash', ['-c', asked, 'bash', ...words], options);
  expect(stderr).toBe('');
  return linesOf(stdout);
}

describe('completion of bash', () => {
  it.each([
    [['re'], ['reload']],
    [['status', '--w'], ['--watch']],
    [
      ['check', '--format', ''],
      ['text', 'json', 'github'],
    ],
    [['explain', '--endpoint', 'co'], ['completions']],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
    [['status', '--config', 'package.j'], ['package.json']],
    [['explain', '--model', 'p'], []],
    [['status', ''], []],
  ])('behind %j offers %j', async (words, expected) => {
    expect(await offered(words)).toEqual(expected);
  });

  it('offers the backends of the running router, unless their names mean something to a shell, and nothing without one', async () => {
    const admin = await fakeAdmin();
    const names = ['gpu-a', 'gpu-b', 'lab', 'gpu-$(id)'];
    admin.says('GET /fleet', aReport({ backends: names.map((name) => aBackendReport({ name })) }));
    expect(await offered(['drain', 'gpu'], { SWITCHYARD_ADMIN: admin.url })).toEqual(['gpu-a', 'gpu-b']);
    await admin.close();
    expect(await offered(['undrain', ''], { SWITCHYARD_ADMIN: admin.url })).toEqual([]);
  });
});

describe('completion of every shell', () => {
  const program = createProgram();

  it.each(['bash', 'zsh', 'fish'])('knows every verb and option in %s', async (shell) => {
    const { code, stdout, stderr } = await run(['completion', shell]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const verb of program.commands) {
      expect(stdout).toMatch(new RegExp(`\\b${verb.name()}\\b`));
      for (const { long } of verb.options) expect(stdout).toContain(shell === 'fish' ? `-l ${long?.slice(2)} ` : long);
    }
  });

  it('is refused where the shell is not known', async () => {
    expect(await run(['completion', 'csh'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('bash, zsh, fish'),
    });
  });
});
