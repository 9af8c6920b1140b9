import { describe, expect, it } from 'vitest';
import { linesOf } from '../support/router-process.ts';
import { secrets, systemTest } from './of-test.ts';

const { engine, file, run } = systemTest();
const bad = 'version: 1\nbackends:\n  - url: http://10.0.0.1:8000\n    weigth: 2\n    engine: vlm\n';
const open = 'version: 1\nserver: { listen: 0.0.0.0:8000 }\nbackends: [{ url: http://10.0.0.1:8000 }]\n';

describe('check', () => {
  it.each(['config/fleet.yaml', 'config/fleet.example.yaml'])('finds %s valid, strictly', async (path) => {
    const { code, stdout, stderr } = await run(['check', '--strict', path]);
    expect(stderr).toBe('');
    expect(stdout).toContain(`${path}: valid: `);
    expect(code).toBe(0);
  });

  it('ends with 2 for errors, each with its place', async () => {
    const path = file(bad);
    const { code, stdout, stderr } = await run(['check', path]);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(linesOf(stderr)).toEqual([
      expect.stringContaining(`${path}:4:5: error: `),
      expect.stringContaining(`${path}:5:13: error: `),
    ]);
  });

  it('ends with 0 for warnings, and with 1 when it is strict', async () => {
    const path = file(open);
    const lenient = await run(['check', path]);
    expect(lenient).toMatchObject({ code: 0, stdout: expect.stringContaining('1 warning') });
    expect(lenient.stderr).toContain(`${path}:2:19: warning: `);
    expect((await run(['check', '--strict', path])).code).toBe(1);
    expect((await run(['check', '--strict', path], { env: { API_KEYS: secrets.key } })).code).toBe(0);
  });

  it('is as strict about errors as without --strict', async () => {
    expect((await run(['check', '--strict', file(bad)])).code).toBe(2);
  });

  it('reads standard input', async () => {
    const valid = await run(['check', '-'], { input: open });
    expect(valid).toMatchObject({ code: 0, stdout: expect.stringContaining('<stdin>: valid') });
    const wrong = await run(['check', '-'], { input: bad });
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('<stdin>:4:5: error: ') });
    expect(await run(['check', '-'])).toMatchObject({ code: 2, stderr: expect.stringContaining('is empty') });
  });

  it('prints JSON for programs, valid or not', async () => {
    const wrong = await run(['check', '--format', 'json', '-'], { input: bad });
    expect(wrong).toMatchObject({ code: 2, stderr: '' });
    expect(JSON.parse(wrong.stdout)).toMatchObject({
      file: '<stdin>',
      valid: false,
      problems: [
        { line: 4, col: 5, severity: 'error', path: 'backends[0]', hint: 'did you mean "weight"?' },
        { line: 5, col: 13, severity: 'error', path: 'backends[0].engine' },
      ],
    });
    const valid = await run(['check', '--format', 'json', 'config/fleet.yaml']);
    expect(valid.code).toBe(0);
    expect(JSON.parse(valid.stdout)).toEqual({ file: 'config/fleet.yaml', valid: true, problems: [] });
  });

  it('prints annotations for GitHub', async () => {
    const { code, stdout, stderr } = await run(['check', '--format', 'github', '-'], { input: bad });
    expect(code).toBe(2);
    expect(linesOf(stdout + stderr)).toEqual([
      expect.stringMatching(/^::error file=<stdin>,line=4,col=5::/),
      expect.stringMatching(/^::error file=<stdin>,line=5,col=13::/),
    ]);
  });

  it('takes SWITCHYARD_CONFIG when no file is named, and says which file it missed', async () => {
    const named = await run(['check'], { env: { SWITCHYARD_CONFIG: 'config/fleet.yaml' } });
    expect(named).toMatchObject({ code: 0, stdout: expect.stringContaining('config/fleet.yaml: valid') });
    const missing = await run(['check', 'no/such.yaml']);
    expect(missing).toMatchObject({ code: 2, stderr: expect.stringContaining('no/such.yaml: error: cannot read') });
  });

  it('asks no backend', async () => {
    const input = 'version: 1\nbackends: [{ url: http://127.0.0.1:9 }]\n';
    expect(await run(['check', '--strict', '-'], { input })).toMatchObject({ code: 0, stderr: '' });
  });

  it('prints what is in force with --print, and where each value comes from', async () => {
    const path = file(`version: 1
defaults: { probe: { interval: 7s } }
backends:
  - name: a
    url: http://10.0.0.1:8000
    weight: \${W}
    auth: { bearer: "\${TOKEN}" }
`);
    const env = { W: '3', TOKEN: secrets.token, API_KEYS: secrets.key, SWITCHYARD_LOG_LEVEL: 'warn' };
    const { code, stdout, stderr } = await run(['check', '--print', path], { env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const line of [
      `    weight: 3 # ${path}:6, from the environment`,
      `      bearer: "***" # ${path}:7, from the environment`,
      `      interval: 7s # ${path}:2`,
      '      down_after: 3 # default',
      '  level: warn # SWITCHYARD_LOG_LEVEL',
      '  mode: keys # API_KEYS',
      '  listen: off # SWITCHYARD_ADMIN_LISTEN',
    ])
      expect(linesOf(stdout)).toContain(line);
    expect(await run(['check', '--print', file(bad)])).toMatchObject({ code: 2, stdout: '' });
  });

  it('asks the backends with --probe', async () => {
    const { url } = await engine();
    const good = `version: 1\nbackends: [{ name: a, url: "${url}" }]\n`;
    const found = await run(['check', '--probe', file(good)]);
    expect(found).toMatchObject({ code: 0, stdout: expect.stringMatching(/valid: [^]*\na +vllm/) });
    const gone = await run(['check', '--probe', file(good.replace(url, 'http://127.0.0.1:9'))]);
    expect(gone).toMatchObject({ code: 1, stderr: expect.stringContaining('0 of 1 backend usable.') });
    const json = await run(['check', '--probe', '--format', 'json', file(good)]);
    expect(JSON.parse(json.stdout)).toMatchObject({ valid: true, backends: [{ name: 'a', ok: true }] });
    expect((await run(['check', '--probe', file(bad)])).code).toBe(2);
  });

  it('fails when a variable is missing, and names it', async () => {
    const input = 'version: 1\nbackends: [{ url: "${NO_SUCH_VARIABLE}" }]\n';
    expect(await run(['check', '-'], { input })).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^<stdin>:2:\d+: error: .*NO_SUCH_VARIABLE/),
    });
  });
});
