// What routers write to each other about their placements, as bytes. Backends go by the hash of their name, for each router has
// indexes of its own. Whatever comes may come from anywhere: what is not a letter of this version is undefined.
import { maxPoints } from './fingerprint.ts';
import type { Message, PlacedPrefix } from './outbox.ts';

/** `sender`: 16 hexadecimal digits, the first 8 of them those of its process. In `message` backends are hashes of names. */
export type Letter =
  | {
      readonly kind: 'news' | 'whole';
      readonly sender: string;
      /** Counts up from one letter of these kinds to the next. */
      readonly sequence: number;
      readonly message: Message;
    }
  /** Somebody has missed something of what `of` has written. */
  | { readonly kind: 'wanted'; readonly sender: string; readonly of: string }
  | { readonly kind: 'farewell'; readonly sender: string };

const version = 1;
const kinds = ['news', 'whole', 'wanted', 'farewell'] as const;
const [headBytes, loadBytes, pointBytes] = [10, 14, 10];
const most = { u16: 0xffff, u32: 0xffff_ffff } as const;

export function encodeLetter(letter: Letter): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(headBytes + bodyBytes(letter));
  const view = new DataView(bytes.buffer);
  view.setUint8(0, version);
  view.setUint8(1, kinds.indexOf(letter.kind));
  writeName(view, 2, letter.sender);
  if (letter.kind === 'wanted') writeName(view, headBytes, letter.of);
  else if (letter.kind !== 'farewell') writeNews(view, letter.sequence, letter.message);
  return bytes;
}

export function decodeLetter(bytes: Uint8Array): Letter | undefined {
  try {
    return read(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  } catch (thrown) {
    // It ends too early.
    if (thrown instanceof RangeError) return undefined;
    throw thrown;
  }
}

/** Without reading the rest; undefined: nobody wrote that. */
export function senderOf(bytes: Uint8Array): string | undefined {
  if (bytes.length < headBytes || bytes[0] !== version) return undefined;
  return readName(new DataView(bytes.buffer, bytes.byteOffset), 2);
}

function bodyBytes(letter: Letter): number {
  if (letter.kind === 'farewell') return 0;
  if (letter.kind === 'wanted') return 8;
  const { loads, prefixes } = letter.message;
  return prefixes.reduce((sum, { keys }) => sum + 5 + pointBytes * keys.length, 12 + loadBytes * loads.length);
}

function writeName(view: DataView, at: number, name: string): void {
  view.setUint32(at, Number.parseInt(name.slice(0, 8), 16));
  view.setUint32(at + 4, Number.parseInt(name.slice(8), 16));
}

function writeNews(view: DataView, sequence: number, { loads, prefixes }: Message): void {
  view.setUint32(headBytes, sequence);
  view.setUint32(headBytes + 4, loads.length);
  view.setUint32(headBytes + 8, prefixes.length);
  let at = headBytes + 12;
  for (const { backend, requests, pending, resident } of loads) {
    view.setUint32(at, backend);
    view.setUint16(at + 4, Math.min(requests, most.u16));
    view.setUint32(at + 6, Math.min(Math.max(0, pending), most.u32));
    view.setUint32(at + 10, Math.min(Math.max(0, resident), most.u32));
    at += loadBytes;
  }
  for (const { backend, points, keys } of prefixes) {
    view.setUint32(at, backend);
    view.setUint8(at + 4, keys.length);
    at += 5;
    for (const [n, key] of keys.entries()) {
      view.setUint16(at, points[n] ?? 0);
      view.setUint32(at + 2, Math.floor(key / 4_294_967_296));
      view.setUint32(at + 6, key >>> 0);
      at += pointBytes;
    }
  }
}

function read(view: DataView): Letter | undefined {
  if (view.getUint8(0) !== version) return undefined;
  const kind = kinds[view.getUint8(1)];
  const sender = readName(view, 2);
  switch (kind) {
    case undefined:
      return undefined;
    case 'farewell':
      return { kind, sender };
    case 'wanted':
      return { kind, sender, of: readName(view, headBytes) };
    case 'news':
    case 'whole': {
      const message = readMessage(view);
      return message && { kind, sender, sequence: view.getUint32(headBytes), message };
    }
    default:
      return kind satisfies never;
  }
}

function readName(view: DataView, at: number): string {
  const half = (from: number) => view.getUint32(from).toString(16).padStart(8, '0');
  return half(at) + half(at + 4);
}

function readMessage(view: DataView): Message | undefined {
  const [loads, prefixes]: [Message['loads'][number][], PlacedPrefix[]] = [[], []];
  let at = headBytes + 12;
  for (let left = view.getUint32(headBytes + 4); left > 0; left--) {
    const [backend, requests] = [view.getUint32(at), view.getUint16(at + 4)];
    loads.push({ backend, requests, pending: view.getUint32(at + 6), resident: view.getUint32(at + 10) });
    at += loadBytes;
  }
  for (let left = view.getUint32(headBytes + 8); left > 0; left--) {
    const count = view.getUint8(at + 4);
    const prefix = { backend: view.getUint32(at), points: new Uint16Array(count), keys: new Float64Array(count) };
    at += 5;
    for (let n = 0; n < count; n++) {
      const [point, high, low] = [view.getUint16(at), view.getUint32(at + 2), view.getUint32(at + 6)];
      // Deeper and deeper; and a hash is below 2^53 and nowhere 0 in its lower half.
      if (point >= maxPoints || (n > 0 && point <= (prefix.points[n - 1] ?? 0))) return undefined;
      if (low === 0 || high >= 2 ** 21) return undefined;
      prefix.points[n] = point;
      prefix.keys[n] = high * 4_294_967_296 + low;
      at += pointBytes;
    }
    prefixes.push(prefix);
  }
  return { loads, prefixes };
}
