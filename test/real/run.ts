// Commands that are run to their end: their output is held, and shown only when they fail.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const shownCharacters = 4_000;

/** Added to the environment of the tests. */
export type Extra = Readonly<Record<string, string>>;

/** Resolves with standard output. @throws Error with the end of both outputs when it can't start or fails. */
export async function run(command: string, args: readonly string[], env: Extra = {}): Promise<string> {
  try {
    const options = { env: { ...process.env, ...env }, maxBuffer: 256 * 1024 * 1024 };
    return (await execute(command, args, options)).stdout;
  } catch (cause) {
    const written = cause instanceof Error ? `${textOf(cause, 'stdout')}${textOf(cause, 'stderr')}` : '';
    throw new Error(`"${[command, ...args].join(' ')}" failed:\n${written.slice(-shownCharacters)}`, { cause });
  }
}

export async function succeeds(command: string, args: readonly string[]): Promise<boolean> {
  try {
    await execute(command, args);
    return true;
  } catch {
    return false;
  }
}

function textOf(cause: Error, stream: 'stdout' | 'stderr'): string {
  const text: unknown = Reflect.get(cause, stream);
  return typeof text === 'string' ? text : '';
}
