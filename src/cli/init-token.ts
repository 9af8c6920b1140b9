// The token of the admin listener that `init` makes, so that drain and reload work from the first minute: a file of its own
// beside the fleet file, for the eyes of its owner. One that is there already stays.
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Its name, from the directory of the fleet file. */
export const tokenFile = 'admin.token';

export interface NewToken {
  readonly token: string;
  /** Writes it, where it is not there already. */
  write(): void;
}

/** @throws what the file system says, where there is a file of this name that can't be read */
export function makeToken(fleetFile: string): NewToken {
  const path = join(dirname(fleetFile), tokenFile);
  const known = textOf(path);
  if (known !== undefined) return { token: known, write: () => {} };
  const token = randomBytes(24).toString('base64url');
  // Fails where somebody else was faster, whose token it then is.
  return { token, write: () => writeFileSync(path, `${token}\n`, { flag: 'wx', mode: 0o600 }) };
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return undefined;
    throw thrown;
  }
}
