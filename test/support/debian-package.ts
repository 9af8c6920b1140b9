// A program that a test needs: on the PATH, or, as root on Debian and Ubuntu, from the distribution's packages.
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { run } from '../real/run.ts';

export interface Wanted {
  readonly program: string;
  readonly package: string;
  readonly say: (text: string) => void;
}

/** Undefined where there is none and it can't be installed. */
export async function findOrInstall({ program, package: name, say }: Wanted): Promise<string | undefined> {
  const found = onPath(program);
  if (found !== undefined || process.getuid?.() !== 0 || onPath('apt-get') === undefined) return found;
  say(`installs ${name} with apt-get …`);
  try {
    await installPackage(program, name);
  } catch (cause) {
    say(cause instanceof Error ? cause.message : String(cause));
  }
  return onPath(program);
}

/**
 * As root. One at a time on this machine, and without its service: policy-rc.d keeps packages from starting any, the run
 * level does where there is no systemd, and what a policy of the machine's own let through is stopped.
 */
export async function installPackage(program: string, name: string): Promise<void> {
  await run('flock', ['--close', '/var/lock/switchyard-tests', '/bin/sh', '-c', install, program, name]);
}

const install = `
set -e
if command -v "$0" >/dev/null; then exit 0; fi
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\\nexit 101\\n' >"$policy"
  chmod 755 "$policy"
fi
export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
apt-get -o DPkg::Lock::Timeout=300 update || true
apt-get -o DPkg::Lock::Timeout=300 install -y "$1"
if [ -d /run/systemd/system ]; then
  for unit in "$0" "$1"; do systemctl disable --now "$unit" || true; done
fi
`;

export function onPath(name: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
