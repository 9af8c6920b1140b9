// The scripts, each a file of its own beside this one, with the prelude in front.
import { readFileSync } from 'node:fs';

export const scriptNames = ['take', 'settle', 'charge', 'renew', 'beat'] as const;
export type ScriptName = (typeof scriptNames)[number];

export function scriptText(name: ScriptName): string {
  return `${read('prelude')}\n${read(name)}`;
}

function read(name: string): string {
  return readFileSync(new URL(`./scripts/${name}.lua`, import.meta.url), 'utf8');
}
