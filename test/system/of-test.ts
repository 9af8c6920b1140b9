// What a system test starts, and its end: processes, engines, sockets and files live as long as one test. Of every
// process it is also proven that nothing secret was printed and that no rejection went unhandled.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect } from 'vitest';
import { type Ending, type ProcessOptions, RouterProcess } from '../support/router-process.ts';
import type { ScriptedEngine } from '../support/scripted-engine.ts';
import { enginesOfTest } from '../support/scripted/engines-of-test.ts';
import type { ScriptedEngineOptions } from '../support/scripted/settings.ts';
import { Wire } from './wire.ts';

/** Each stands for all of its kind: a test that needs one takes it from here, and none may show up in an output. */
export const secrets = {
  prompt: 'a-prompt-that-nobody-may-print',
  answer: 'an-answer-that-nobody-may-print',
  key: 'sk-a-key-that-nobody-may-print',
  token: 'sk-a-backend-token-that-nobody-may-print',
} as const;

export interface Finished extends Ending {
  readonly stdout: string;
  readonly stderr: string;
}

export interface SystemTest {
  /** `serve` on a free port; resolves when the overview is there. */
  readonly serve: (args: readonly string[], options?: ProcessOptions) => Promise<RouterProcess>;
  /** Any verb; resolves at once. */
  readonly start: (args: readonly string[], options?: ProcessOptions) => RouterProcess;
  /** Any verb, to its end. */
  readonly run: (args: readonly string[], options?: ProcessOptions) => Promise<Finished>;
  readonly engine: (options?: Partial<ScriptedEngineOptions>) => Promise<ScriptedEngine>;
  /** Writes a file into the directory of the test; returns its path. */
  readonly file: (text: string, name?: string) => string;
  readonly wire: (port: number) => Promise<Wire>;
}

/** Call at the top of a test file. */
export function systemTest(): SystemTest {
  // First, so that its hook runs last: engines end after the processes in front of them.
  const startEngine = enginesOfTest();
  const processes: RouterProcess[] = [];
  const wires: Wire[] = [];
  const directories: string[] = [];
  afterEach(async () => {
    for (const wire of wires.splice(0)) wire.destroy();
    const started = processes.splice(0);
    await Promise.all(started.map((one) => one.kill()));
    for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
    for (const { stdout, stderr } of started) {
      for (const secret of Object.values(secrets)) expect(stdout + stderr).not.toContain(secret);
      expect(stderr).not.toMatch(/unhandled|uncaught|\(node:\d+\)/i);
    }
  });
  const start: SystemTest['start'] = (args, options) => {
    const started = new RouterProcess(args, options);
    processes.push(started);
    return started;
  };
  return {
    start,
    async serve(args, options) {
      const router = start(['serve', '--listen', '127.0.0.1:0', ...args], options);
      await router.when(({ stdout }) => stdout.includes('Clients:') && stdout.endsWith('\n'));
      return router;
    },
    async run(args, options) {
      const started = start(args, options);
      const ending = await started.ended;
      return { ...ending, stdout: started.stdout, stderr: started.stderr };
    },
    engine: (options = {}) => startEngine({ imitates: 'vllm', ...options }),
    file(text, name = 'fleet.yaml') {
      const directory = mkdtempSync(join(tmpdir(), 'switchyard-'));
      directories.push(directory);
      const path = join(directory, name);
      writeFileSync(path, text);
      return path;
    },
    async wire(port) {
      const wire = await Wire.open(port);
      wires.push(wire);
      return wire;
    },
  };
}
