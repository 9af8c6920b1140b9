// When a fleet file counts as changed: real files, and a clock that waits for nobody.
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFleetFile, type FleetFile } from '../../src/config/fleet-file.ts';
import { watchFleetFile } from '../../src/config/watch.ts';
import { type FakeClock, fakeClock } from '../support/fake-clock.ts';

const text = (port: number) => `version: 1\nbackends: [{ url: "http://10.0.0.1:${port}" }]\n`;
const withKey = `auth: { keys: [{ tenant: t, key_file: key }] }\n${text(1)}`;

let directory: string;
let path: string;
let file: FleetFile;
let clock: FakeClock;
let loads: string[];
let mayPass: boolean;
let stop: () => void;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'switchyard-watch-'));
  path = join(directory, 'fleet.yaml');
  clock = fakeClock();
  loads = [];
  mayPass = false;
});

afterEach(() => {
  stop();
  rmSync(directory, { recursive: true, force: true });
});

function watch(first: string): void {
  writeFileSync(path, first);
  file = createFleetFile({ path, env: {} });
  file.load();
  stop = watchFleetFile({
    file,
    clock,
    reload() {
      const loaded = file.load();
      loads.push('fleet' in loaded ? 'good' : 'bad');
      return Promise.resolve();
    },
    mayPass: () => mayPass,
  });
}

/** The poll alone must find everything, so hints are not waited for; they only make it find things earlier. */
async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 50) {
    clock.advance(50);
    await Promise.resolve();
    await Promise.resolve();
  }
}

describe('a fleet file that is watched', () => {
  it('is loaded also where somebody has only looked at its new text before', async () => {
    watch(text(1));
    writeFileSync(path, text(2));
    expect(file.peek()).toHaveProperty('fleet');
    await pass(5_000);
    expect(loads).toEqual(['good']);
  });

  it('is loaded once for each change of what is in it, and not for being touched', async () => {
    watch(text(1));
    await pass(10_000);
    writeFileSync(path, text(1));
    await pass(10_000);
    expect(loads).toEqual([]);
    writeFileSync(path, text(2));
    await pass(10_000);
    writeFileSync(`${path}.new`, text(3));
    renameSync(`${path}.new`, path);
    await pass(10_000);
    expect(loads).toEqual(['good', 'good']);
  });

  it('is loaded again after everything that was wrong with it, each told once', async () => {
    watch(text(1));
    const spoilings = [
      () => writeFileSync(path, 'version: [\n'),
      () => rmSync(path),
      () => mkdirSync(path),
      () => {
        rmSync(path, { recursive: true });
        writeFileSync(path, Buffer.alloc(2 ** 21, 'x'));
      },
      () => rmSync(directory, { recursive: true }),
    ];
    for (const spoil of spoilings) {
      spoil();
      await pass(20_000);
    }
    expect(loads).toEqual(spoilings.map(() => 'bad'));
    mkdirSync(directory);
    writeFileSync(path, text(2));
    await pass(20_000);
    expect(loads.at(-1)).toBe('good');
  });

  it('is loaded when it has rested, and at last also when it never does', async () => {
    watch(text(1));
    for (let n = 2; n < 12; n++) {
      writeFileSync(path, text(n));
      await pass(200);
    }
    expect(loads.length).toBeLessThanOrEqual(1);
    await pass(5_000);
    expect(loads.at(-1)).toBe('good');
    const before = loads.length;
    for (let n = 100; n < 160; n++) {
      writeFileSync(path, text(n));
      await pass(200);
    }
    expect(loads.length).toBeGreaterThan(before);
  });

  it('is not loaded when it is as before again once it rests', async () => {
    watch(text(1));
    writeFileSync(path, text(2));
    await pass(2_050);
    writeFileSync(path, text(1));
    await pass(5_000);
    expect(loads).toEqual([]);
  });

  it('is loaded when a secret that it names has changed, appears or goes', async () => {
    writeFileSync(join(directory, 'key'), 'one', { mode: 0o600 });
    watch(withKey);
    writeFileSync(join(directory, 'key'), 'two');
    await pass(5_000);
    rmSync(join(directory, 'key'));
    await pass(5_000);
    writeFileSync(join(directory, 'key'), 'three', { mode: 0o600 });
    await pass(5_000);
    expect(loads).toEqual(['good', 'bad', 'good']);
  });

  it('is tried again in a while where only the moment was wrong', async () => {
    mayPass = true;
    watch(text(1));
    writeFileSync(path, text(2));
    await pass(10_000);
    expect(loads).toHaveLength(1);
    await pass(20_000);
    expect(loads).toHaveLength(2);
    mayPass = false;
    await pass(60_000);
    expect(loads).toHaveLength(2);
  });

  it('is tried again also where somebody else had it read at the wrong moment', async () => {
    watch(text(1));
    await pass(10_000);
    writeFileSync(path, text(2));
    file.load();
    mayPass = true;
    await pass(10_000);
    expect(loads).toHaveLength(0);
    await pass(10_000);
    expect(loads).toHaveLength(1);
  });

  it('holds nothing once that is over', async () => {
    watch(text(1));
    writeFileSync(path, text(2));
    await pass(2_050);
    stop();
    expect(clock.waiting).toBe(0);
    await pass(10_000);
    expect(loads).toEqual([]);
    expect(readdirSync(directory)).toEqual(['fleet.yaml']);
  });
});

describe('a pipe', () => {
  it('is nothing to watch', () => {
    watch(text(1));
    expect(file.isRegular).toBe(true);
    expect(createFleetFile({ path: '/dev/null', env: {} }).isRegular).toBe(false);
    expect(createFleetFile({ path: directory, env: {} }).isRegular).toBe(false);
  });
});
