// Writes a file over in one step: whoever reads it meanwhile, such as a router that watches it, or a machine that goes down, sees
// the old text or the new one, never half of it.
import { realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';

/** What a link leads to is replaced, not the link. @throws what the file system says */
export function replaceFile(path: string, text: string): void {
  const real = realpathSync(path);
  const unfinished = `${real}.${process.pid}.tmp`;
  try {
    writeFileSync(unfinished, text, { mode: statSync(real).mode & 0o777, flag: 'wx' });
    renameSync(unfinished, real);
  } catch (thrown) {
    rmSync(unfinished, { force: true });
    throw thrown;
  }
}
