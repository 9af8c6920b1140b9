import { chmodSync, lstatSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemTest } from './of-test.ts';

const { file, run } = systemTest();
const untidy = 'version:   1\nbackends:\n- url: http://h:1   # a\n';
const tidy = 'version: 1\nbackends:\n  - url: http://h:1 # a\n';

describe('fmt', () => {
  it('prints the file laid out, and says by its exit code whether it was', async () => {
    expect(await run(['fmt', '-'], { input: untidy })).toMatchObject({ code: 1, stdout: tidy, stderr: '' });
    expect(await run(['fmt', '-'], { input: tidy })).toMatchObject({ code: 0, stdout: tidy, stderr: '' });
    expect(await run(['fmt', 'config/fleet.example.yaml', '--diff'])).toMatchObject({ code: 0, stdout: '' });
  });

  it('shows what would change, and changes nothing', async () => {
    const path = file(untidy);
    const { code, stdout } = await run(['fmt', path, '--diff']);
    expect(code).toBe(1);
    expect(stdout).toBe(
      '@@ line 1 @@\n-version:   1\n+version: 1\n@@ line 3 @@\n-- url: http://h:1   # a\n+  - url: http://h:1 # a\n',
    );
    expect(readFileSync(path, 'utf8')).toBe(untidy);
  });

  it('writes it back with --write, once', async () => {
    const path = file(untidy);
    expect(await run(['fmt', '--write'], { env: { SWITCHYARD_CONFIG: path } })).toMatchObject({
      code: 0,
      stdout: '',
      stderr: `${path}: laid out anew\n`,
    });
    expect(readFileSync(path, 'utf8')).toBe(tidy);
    expect(await run(['fmt', '--write', path])).toMatchObject({ code: 0, stdout: '', stderr: '' });
  });

  it('writes behind a link, with the mode it had, and leaves nothing beside it', async () => {
    const path = file(untidy);
    chmodSync(path, 0o640);
    const link = join(dirname(path), 'link.yaml');
    symlinkSync(path, link);
    expect((await run(['fmt', '--write', link])).code).toBe(0);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o640);
    expect((await run(['fmt', path])).code).toBe(0);
    expect(readdirSync(dirname(path)).toSorted()).toEqual([basename(path), 'link.yaml'].toSorted());
  });

  it('leaves alone what is no fleet file', async () => {
    const path = file('a: [1\n');
    expect(await run(['fmt', '--write', path])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`${path}:2:1: error`),
    });
    expect(readFileSync(path, 'utf8')).toBe('a: [1\n');
    expect(await run(['fmt', 'no/such.yaml'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('no such file'),
    });
    expect(await run(['fmt', '-', '--write'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('standard input'),
    });
  });
});
