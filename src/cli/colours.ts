// Colours for a terminal, never the only thing that says something. NO_COLOR and pipes turn them off.
import { styleText } from 'node:util';

const tones = { good: 'green', doubtful: 'yellow', bad: 'red', quiet: 'dim', strong: 'bold' } as const;
export type Tone = keyof typeof tones;

export type Paint = (tone: Tone, text: string) => string;

/** For what is written to this stream. */
export function painter(stream: NodeJS.WriteStream): Paint {
  return (tone, text) => styleText(tones[tone], text, { stream });
}

export const unpainted: Paint = (_tone, text) => text;
