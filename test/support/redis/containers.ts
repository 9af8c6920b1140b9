// Redis and Valkey in containers, where an engine for them answers. It has two seconds: most machines without one say so
// at once, and one that hangs must not hold up the tests.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { root } from '../router-process.ts';
import type { SharedServer } from './provision.ts';

const answersWithinMs = 2_000;
const port = 6379;
const images = [
  { name: 'redis', image: 'redis:7-alpine', program: 'redis-server' },
  { name: 'valkey', image: 'valkey/valkey:8-alpine', program: 'valkey-server' },
] as const;

export interface StartedContainer {
  readonly server: SharedServer;
  readonly stop: () => Promise<void>;
}

/** None where no engine answers. @throws Error when one does and then can't start an image. */
export async function startContainers(): Promise<readonly StartedContainer[]> {
  if (!(await engineAnswers())) return [];
  const { GenericContainer, Wait } = await import('testcontainers');
  const started = await Promise.allSettled(
    images.map(async ({ name, image, program }) => {
      const container = await new GenericContainer(image)
        .withExposedPorts(port)
        .withCommand([program, '--save', '', '--appendonly', 'no'])
        .withWaitStrategy(Wait.forLogMessage(/Ready to accept connections/))
        .start();
      const url = `redis://${container.getHost()}:${container.getMappedPort(port)}`;
      return { server: { name, url }, stop: async () => void (await container.stop()) };
    }),
  );
  const failure = started.find((one) => one.status === 'rejected');
  const running = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  if (failure === undefined) return running;
  await Promise.all(running.map(({ stop }) => stop()));
  throw new Error('a container could not be started', { cause: failure.reason });
}

/** Asks in a process of its own: a question that stays open would keep the tests from ending. */
async function engineAnswers(): Promise<boolean> {
  const question = "await (await import('testcontainers')).getContainerRuntimeClient(); process.exit(0)";
  const options = { cwd: root, timeout: answersWithinMs, killSignal: 'SIGKILL' } as const;
  try {
    await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', question], options);
    return true;
  } catch {
    return false;
  }
}
