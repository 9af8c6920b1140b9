// Reads secrets where fields say they are, reports what is wrong with them, and remembers the contents of the files read.
import type { Report } from './diagnostics.ts';
import { type FileText, type ReadFile, readPem, readSecret } from './secrets.ts';
import { textAt, type Tree } from './tree.ts';

export interface SecretReader {
  /** A field that holds the secret itself: a warning where it does not come from the environment. */
  written(node: Tree | undefined): string | undefined;
  /** A field with the path of a file that holds the secret and nothing else. */
  inFile(node: Tree | undefined): string | undefined;
  /** A field with the path of a file of keys or certificates. */
  pem(node: Tree | undefined, kind: 'secret' | 'public'): string | undefined;
  /** `field` stands for the secret in a file of its own. */
  warnWritten(node: Tree, field: string): void;
  /** Of the files read so far, for the hash of the fleet. */
  contents(): readonly Buffer[];
}

export interface SecretSources {
  /** Of the fleet file. */
  readonly path: string;
  readonly readFile?: ReadFile;
}

export function createSecretReader({ path, readFile }: SecretSources, report: Report): SecretReader {
  const contents: Buffer[] = [];
  const read = (node: Tree | undefined, open: (path: string) => FileText): string | undefined => {
    const written = textAt(node);
    if (node === undefined || written === undefined) return undefined;
    const found = open(written);
    if ('problem' in found) {
      report.error(node.place, found.problem, found.hint);
      return undefined;
    }
    if (found.warning !== undefined) report.warning(node.place, found.warning, 'chmod 640');
    contents.push(found.bytes);
    return found.text;
  };
  const warnWritten = (node: Tree, field: string): void => {
    if (node.kind === 'scalar' && !node.fromEnv)
      report.warning(node.place, 'a secret written into the fleet file', `use \${VAR} or ${field}`);
  };
  return {
    written(node) {
      const text = textAt(node);
      if (node && text !== undefined) warnWritten(node, `${node.place.path.split('.').at(-1) ?? 'key'}_file`);
      return text;
    },
    inFile: (node) => read(node, (file) => readSecret(file, path, readFile)),
    pem: (node, kind) => read(node, (file) => readPem(file, { fleetPath: path, kind }, readFile)),
    warnWritten,
    contents: () => contents,
  };
}
