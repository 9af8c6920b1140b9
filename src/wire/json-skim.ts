// A JSON text without the long strings of its prompt: what is left says what a request asks for, and parses in microseconds however
// long the prompt is. What a prompt says is for the backend to read; here only its length counts.
import { isBlank, type Span, stringEnd } from './json-scan.ts';

/** Values of so many bytes are left out. */
const longBytes = 1_024;
/** After so many strings it has to have paid: where most of a text is short strings, reading it as it is takes less time. */
const trialStrings = 2_000;

const quote = 0x22;
const colon = 0x3a;
const backslash = 0x5c;
/** Stands at the beginning of what stands for a string: a character that no text may hold, U+FDD0. */
const mark = 0xfdd0;
const markBytes = Buffer.from(String.fromCharCode(mark));

/**
 * The same text with another string in place of each long one within `prompt`, whose length `bytesOfText` tells. Of what is not JSON something comes
 * out that is not JSON either, unless what is wrong stands inside of a long string. Undefined: most of it is short strings.
 */
export function skim(bytes: Buffer, prompt: Span): string | undefined {
  const pieces: Buffer[] = [];
  let keptFrom = 0;
  let leftOut = 0;
  let strings = 0;
  for (let open = bytes.indexOf(quote, prompt.start); open !== -1 && open < prompt.end; ) {
    const end = stringEnd(bytes, open);
    if (end === -1) break;
    const length = end - open - 2;
    if ((length >= longBytes || isLikeOurs(bytes, open, end)) && !isKey(bytes, end)) {
      pieces.push(bytes.subarray(keptFrom, open + 1), markBytes, Buffer.from(`${length}"`));
      keptFrom = end;
      leftOut += length;
    }
    if (++strings === trialStrings && leftOut < (end - prompt.start) / 2) return undefined;
    open = bytes.indexOf(quote, end);
  }
  pieces.push(bytes.subarray(keptFrom));
  return Buffer.concat(pieces).toString('utf8');
}

/** How many bytes a text of the prompt has; of one that was left out, as it was written. */
export function bytesOfText(text: string): number {
  return text.charCodeAt(0) === mark ? Number(text.slice(1)) : Buffer.byteLength(text);
}

function isKey(bytes: Buffer, end: number): boolean {
  let at = end;
  while (isBlank(bytes[at])) at++;
  return bytes[at] === colon;
}

/** A short string that would be taken for one of ours is left out as well, also one that begins so behind an escape. */
function isLikeOurs(bytes: Buffer, open: number, end: number): boolean {
  const first = bytes[open + 1];
  if (first === backslash) return /^"\\u[Ff][Dd][Dd]0/.test(bytes.toString('latin1', open, Math.min(end, open + 7)));
  return first === markBytes[0] && bytes[open + 2] === markBytes[1] && bytes[open + 3] === markBytes[2];
}
