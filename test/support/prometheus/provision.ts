// Vitest's global setup of the tests that need Prometheus and its promtool: from PROMETHEUS_PATH, the folder of both, else
// the PATH, else Debian's package. Never a skip: without them the run fails and says what to install.
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { findOrInstall, isExecutable } from '../debian-package.ts';

declare module 'vitest' {
  interface ProvidedContext {
    prometheusBinary: string;
    promtoolBinary: string;
  }
}

const howToInstall =
  'These tests need Prometheus 2.40 or newer with its promtool: put both on the PATH (Debian, Ubuntu: apt-get install prometheus,' +
  ' which the tests do themselves as root; macOS: brew install prometheus), or name their folder in PROMETHEUS_PATH.';

export async function setup(project: TestProject): Promise<void> {
  const prometheus = await find('prometheus');
  project.provide('prometheusBinary', prometheus);
  project.provide('promtoolBinary', await find('promtool'));
  say(prometheus);
}

async function find(program: string): Promise<string> {
  const folder = process.env['PROMETHEUS_PATH'];
  if (folder !== undefined) {
    const path = join(folder, program);
    if (!isExecutable(path)) throw new Error(`PROMETHEUS_PATH names ${folder}, where there is no ${program}`);
    return path;
  }
  const found = await findOrInstall({ program, package: 'prometheus', say });
  if (found === undefined) throw new Error(howToInstall);
  return found;
}

function say(text: string): void {
  process.stdout.write(`Prometheus for the tests: ${text}\n`);
}
