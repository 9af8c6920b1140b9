// Where the backends of a fleet file stand in it, for what is found out about them later: that they do not answer, for one.
import { createReport, nowhere, type Place } from './diagnostics.ts';
import type { Env } from './interpolate.ts';
import { mostBytes, parseTree } from './parse.ts';
import { readRegular } from './secrets.ts';
import { child, itemsAt } from './tree.ts';

/** In the order of the file, at their URL where they have one; nothing where the file is not to be read again. */
export function backendPlaces(path: string, env: Env): readonly Place[] {
  try {
    const text = readRegular(path, mostBytes).bytes.toString('utf8');
    const root = parseTree(text, env, createReport(path));
    return itemsAt(root, 'backends').map((backend) => (child(backend, 'url') ?? backend).place);
  } catch {
    return [];
  }
}

/** `fleet.yaml:41:11`, or the file alone. */
export function placeText(path: string, place: Place | undefined): string {
  const { line, col } = place ?? nowhere(path);
  return line === 0 ? path : `${path}:${line}:${col}`;
}
