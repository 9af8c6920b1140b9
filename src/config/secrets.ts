// Reading what stands in files of its own: the fleet file, and secrets. Bounded, and never waits for a pipe that is a secret.
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

export interface FileContent {
  readonly bytes: Buffer;
  /** Permission bits. */
  readonly mode: number;
}

/** Throws like `node:fs`. Reads at most `mostBytes` and one more, by which a file that is too large shows. */
export type ReadFile = (path: string, mostBytes: number) => FileContent;

const mostSecretBytes = 64 * 1024;

export function readBounded(path: string, mostBytes: number): FileContent {
  const descriptor = openSync(path, 'r');
  try {
    const buffer = Buffer.alloc(mostBytes + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < buffer.length; length += read) {
      read = readSync(descriptor, buffer, length, buffer.length - length, null);
    }
    return { bytes: buffer.subarray(0, length), mode: fstatSync(descriptor).mode & 0o777 };
  } finally {
    closeSync(descriptor);
  }
}

export function readRegular(path: string, mostBytes: number): FileContent {
  // Opening a pipe would wait for its writer, and a device never ends.
  if (!statSync(path).isFile()) throw Object.assign(new Error('not a regular file'), { code: 'not a regular file' });
  return readBounded(path, mostBytes);
}

export type FileText =
  | { readonly text: string; readonly bytes: Buffer; readonly warning?: string }
  | { readonly problem: string; readonly hint?: string };

/** `path` is taken from the directory of the fleet file. Messages leave it out: it may be a secret in the wrong field. */
export function readSecret(path: string, fleetPath: string, readFile?: ReadFile): FileText {
  const content = readBeside(path, fleetPath, readFile);
  if ('problem' in content) return content;
  const { bytes, mode } = content;
  const text = bytes.toString('latin1').replace(/\r?\n$/, '');
  if (text === '') return { problem: 'this file is empty' };
  if (!/^[\x21-\x7e]+$/.test(text)) return { problem: 'this file holds spaces, control or non-ASCII characters' };
  return { text, bytes, ...modeWarning(mode) };
}

/** Certificates, which anybody may read, or a private key. `path` as in `readSecret`. */
export function readPem(
  path: string,
  { fleetPath, kind }: { readonly fleetPath: string; readonly kind: 'secret' | 'public' },
  readFile?: ReadFile,
): FileText {
  const content = readBeside(path, fleetPath, readFile);
  if ('problem' in content) return content;
  const { bytes, mode } = content;
  const [what, begin] =
    kind === 'secret'
      ? ['private key', /^-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----/m]
      : ['certificate', /^-----BEGIN (?:[A-Z0-9]+ )*CERTIFICATE-----/m];
  const text = bytes.toString('utf8');
  if (text.trim() === '') return { problem: 'this file is empty' };
  if (!begin.test(text)) return { problem: `this file holds no ${what} in PEM form` };
  return { text, bytes, ...(kind === 'secret' ? modeWarning(mode) : {}) };
}

function readBeside(
  path: string,
  fleetPath: string,
  readFile: ReadFile = readRegular,
): FileContent | { readonly problem: string; readonly hint?: string } {
  try {
    const content = readFile(resolve(dirname(fleetPath), path), mostSecretBytes);
    return content.bytes.length > mostSecretBytes ? { problem: 'this file is larger than 64 KiB' } : content;
  } catch (thrown) {
    return { problem: `cannot read this file: ${reason(thrown)}`, hint: 'a relative path starts at the fleet file' };
  }
}

function modeWarning(mode: number): { readonly warning?: string } {
  const octal = mode.toString(8).padStart(4, '0');
  return (mode & ~0o640) === 0 ? {} : { warning: `this file has mode ${octal}, wider than 0640` };
}

/** Why a file could not be read, without its name. */
export function reason(thrown: unknown): string {
  const code = thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : 'failed';
  const words: Readonly<Record<string, string>> = {
    ENOENT: 'no such file',
    EACCES: 'permission denied',
    EISDIR: 'it is a directory',
    ENOTDIR: 'no such file',
  };
  return words[code] ?? code;
}
