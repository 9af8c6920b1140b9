import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../real/run.ts';
import { textOf } from './manifests.ts';
import { places, root } from './places.ts';

const dockerfile = textOf('deploy/Dockerfile');
/** One instruction each, continued lines joined, comments gone. */
const instructions = dockerfile
  .replace(/^#.*\n/gm, '')
  .replaceAll('\\\n', ' ')
  .split('\n')
  .map((line) => line.trim().replace(/\s+/g, ' '))
  .filter((line) => line !== '');
const start = instructions.findLastIndex((line) => line.startsWith('FROM '));
const final = instructions.slice(start);

function of(name: string): readonly string[] {
  return final.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1));
}

describe('the Dockerfile', () => {
  it('passes hadolint', async () => {
    expect(await run(places.hadolint, [join(root, 'deploy/Dockerfile')])).toBe('');
  });

  it('takes both stages from images pinned by tag and digest', () => {
    const images = instructions.filter((line) => line.startsWith('FROM ')).map((line) => line.split(' ')[1]);
    expect(images).toEqual([
      expect.stringMatching(/^node:24-slim@sha256:[0-9a-f]{64}$/),
      expect.stringMatching(/^gcr\.io\/distroless\/nodejs24-debian12:nonroot@sha256:[0-9a-f]{64}$/),
    ]);
  });

  it('runs as somebody without rights, by number, so that runAsNonRoot can be checked', () => {
    expect(of('USER')).toEqual(['65532:65532']);
  });

  it('needs no shell: the last stage runs nothing, and entry point, command and health check are lists', () => {
    expect(of('RUN')).toEqual([]);
    for (const text of [
      ...of('ENTRYPOINT'),
      ...of('CMD'),
      ...of('HEALTHCHECK').map((line) => line.replace(/.*CMD /, '')),
    ])
      expect(JSON.parse(text)).toEqual(expect.arrayContaining([expect.any(String)]));
    expect(of('ENTRYPOINT')).toEqual(['["/nodejs/bin/node", "/app/dist/main.js"]']);
    expect(of('HEALTHCHECK').join(' ')).toContain('CMD ["/nodejs/bin/node", "/app/dist/main.js", "healthcheck"]');
    expect(of('STOPSIGNAL')).toEqual(['SIGTERM']);
  });

  it('is told its revision, for the build and for the label', () => {
    const build = instructions.slice(0, start);
    const told = build.indexOf('ARG REVISION=unknown');
    expect(told).toBeGreaterThan(0);
    expect(told).toBeLessThan(build.findIndex((line) => /^RUN .*\bbuild\b/.test(line)));
    expect(of('ARG')).toContain('REVISION=unknown');
    expect(of('LABEL').join(' ')).toContain('revision="${REVISION}"');
  });

  it('installs what is locked, and runs no script of a package', () => {
    const npm = instructions.filter((line) => line.startsWith('RUN ')).flatMap((line) => line.slice(4).split(' && '));
    expect(npm.length).toBeGreaterThan(2);
    for (const command of npm) expect(command).toMatch(/^npm (ci|run|prune) --ignore-scripts/);
  });
});

describe('the image', () => {
  let context: string;
  beforeAll(() => {
    context = mkdtempSync(join(tmpdir(), 'switchyard-image-'));
    // The forms that .dockerignore here has: all out, names back in, and a folder of which only scripts are.
    const kept = textOf('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!') && !line.includes('*'))
      .map((line) => line.slice(1));
    for (const name of kept)
      cpSync(join(root, name), join(context, name), {
        recursive: true,
        filter: (path) => !path.startsWith(join(root, 'deploy/')) || path.endsWith('.mjs'),
      });
    symlinkSync(join(root, 'node_modules'), join(context, 'node_modules'));
  });
  afterAll(() => rmSync(context, { recursive: true, force: true }));

  it('is built from no more than its context, and what comes out starts', async () => {
    const path = `${join(root, 'node_modules/.bin')}:${process.env['PATH']}`;
    await promisify(execFile)('npm', ['run', '--ignore-scripts', 'build'], {
      cwd: context,
      env: { ...process.env, PATH: path, REVISION: '0123456789ab' },
    });
    const copied = of('COPY').map((line) => line.split(' ')[1]?.replace(/^\/app\//, '') ?? '');
    expect(copied.filter((path) => !existsSync(join(context, path)))).toEqual([]);
    const main = join(context, 'dist/main.js');
    expect((await run(process.execPath, [main, '--version'])).trim()).toMatch(/^\d+\.\d+\.\d+/);
    const told: unknown = JSON.parse(await run(process.execPath, [main, 'version', '--json']));
    expect(told).toMatchObject({ revision: '0123456789ab' });
    expect(await run(process.execPath, [main, 'check', join(root, 'config/fleet.yaml')])).toContain('valid');
  }, 120_000);

  it('gives the heap three quarters of the memory there is', async () => {
    const [, options] = /NODE_OPTIONS="([^"]+)"/.exec(of('ENV').join(' ')) ?? [];
    expect(options).toContain('--enable-source-maps');
    const script =
      'console.log(require("node:v8").getHeapStatistics().heap_size_limit, process.constrainedMemory() ?? 0)';
    const printed = await run(process.execPath, ['-e', script], { NODE_OPTIONS: options ?? '' });
    const [limit = 0, constrained = 0] = printed.split(' ').map(Number);
    const memory = constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
    expect(limit / memory).toBeGreaterThan(0.72);
    expect(limit / memory).toBeLessThan(0.8);
  });
});
