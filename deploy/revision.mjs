// Writes the git revision of a build beside it (dist/revision), where it is known: REVISION in the environment, such as a
// build argument of an image, whose context has no .git, or else what git says.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

function revision() {
  const told = process.env.REVISION;
  if (told && told !== 'unknown') return told.trim();
  try {
    return execFileSync('git', ['rev-parse', '--short=12', 'HEAD'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return '';
  }
}

writeFileSync(join(root, 'dist/revision'), `${revision()}\n`);
