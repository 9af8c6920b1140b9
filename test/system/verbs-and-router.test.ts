// The verbs and the router of the same release, which must understand each other.
import { appendFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { secrets, systemTest } from './of-test.ts';

const { engine, file, run, serve } = systemTest();

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
