import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { serverDefaults } from '../../src/config/defaults.ts';
import { run } from '../real/run.ts';
import { textOf } from './manifests.ts';
import { root } from './places.ts';

const unit = textOf('deploy/systemd/switchyard.service');

function setting(name: string): readonly string[] {
  return unit
    .split('\n')
    .filter((line) => line.startsWith(`${name}=`))
    .map((line) => line.slice(name.length + 1));
}

describe('the systemd unit', () => {
  it('passes systemd-analyze verify', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'switchyard-unit-'));
    try {
      const path = join(directory, 'switchyard.service');
      // It looks whether programs are there.
      writeFileSync(path, unit.replace('/usr/bin/node', process.execPath));
      expect(await run('systemd-analyze', ['verify', path])).toBe('');
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('leaves little exposed', async () => {
    const path = join(root, 'deploy/systemd/switchyard.service');
    // Tenths of a level: above 2.0 it fails, and "ok" ends at 4.9.
    const security = ['security', '--offline=yes', '--threshold=20', '--no-pager', path];
    expect(await run('systemd-analyze', security)).toContain('OK');
  });

  it('may write and run code at once, which V8 does', () => {
    expect(setting('MemoryDenyWriteExecute')).toEqual([]);
  });

  it('gives a router that drains the time it has by default', () => {
    expect(Number(setting('TimeoutStopSec')[0]) * 1000).toBeGreaterThanOrEqual(serverDefaults.drainTimeoutMs + 10_000);
    expect(setting('KillSignal')).toEqual(['SIGTERM']);
    expect(setting('Type')).toEqual(['exec']);
  });

  it('does not start a bad fleet file or a taken port again and again', () => {
    expect(setting('RestartPreventExitStatus')).toEqual(['2 3']);
  });

  it('runs Node.js with the flags of the image', () => {
    const [, options] = /NODE_OPTIONS=([^"]+)"/.exec(setting('Environment').join(' ')) ?? [];
    expect(textOf('deploy/Dockerfile')).toContain(`NODE_OPTIONS="${options}"`);
    expect(setting('MemoryMax')).toEqual(['2G']);
  });

  it('allows the descriptors of ten thousand streams', () => {
    expect(Number(setting('LimitNOFILE')[0])).toBeGreaterThanOrEqual(21_000);
  });
});
