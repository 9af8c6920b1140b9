// Programs that are packages of the distribution: found, or installed.
import { findOrInstall } from '../support/debian-package.ts';

/** @throws Error where there is none and it can't be installed. */
export async function provide(program: string, name: string): Promise<void> {
  const say = (text: string) => void process.stdout.write(`${text}\n`);
  const found = await findOrInstall({ program, package: name, say });
  if (found === undefined)
    throw new Error(`there is no ${program}, and it can't be installed (Debian package ${name})`);
}
