// What a fleet file says about the way to its running router. Lenient: the router may run an older file than one with a
// mistake in it, and the way there must still be found.
import type { Address } from '../fleet/fleet.ts';
import { adminListenOf } from './admin.ts';
import { parseListen } from './addresses.ts';
import { createReport } from './diagnostics.ts';
import type { Env } from './interpolate.ts';
import { mostBytes, parseTree } from './parse.ts';
import { present } from './present.ts';
import { readBounded, readSecret, reason } from './secrets.ts';
import { child, textAt } from './tree.ts';

export interface AdminOfFile {
  readonly adminListen?: Address | 'off';
  readonly serverListen?: Address;
  /** Where TLS is spoken there; its files are not read. */
  readonly adminTls?: true;
  readonly serverTls?: true;
  /** Read when it is asked for: whoever only looks needs none, and may not be allowed to read it. Absent: the file names none. */
  readonly token: () => TokenOfFile | undefined;
}

export type TokenOfFile = { readonly token: string } | { readonly problem: string };

/** `problem`: why there is nothing to read, without the path. */
export function readAdminOfFile(path: string, env: Env): AdminOfFile | { readonly problem: string } {
  let text: string;
  try {
    const { bytes } = readBounded(path, mostBytes);
    text = bytes.toString('utf8');
  } catch (thrown) {
    return { problem: reason(thrown) };
  }
  const root = parseTree(text, env, createReport(path));
  if (root === undefined) return { problem: 'not valid YAML' };
  const server = parseListen(textAt(root, 'server', 'listen') ?? '');
  return {
    ...present({
      adminListen: adminListenOf(root),
      serverListen: 'value' in server ? server.value : undefined,
      adminTls: child(root, 'admin', 'tls') && (true as const),
      serverTls: child(root, 'server', 'tls') && (true as const),
    }),
    token() {
      const written = textAt(root, 'admin', 'token');
      if (written !== undefined) return { token: written };
      const file = textAt(root, 'admin', 'token_file');
      return file === undefined ? undefined : tokenIn(file, path);
    },
  };
}

/** A file that holds the token and nothing else; a relative `file` starts at the directory of `beside`. */
export function tokenIn(file: string, beside: string): TokenOfFile {
  const read = readSecret(file, beside);
  return 'problem' in read ? { problem: read.problem } : { token: read.text };
}
