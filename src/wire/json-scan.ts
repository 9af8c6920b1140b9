// Finds the members of a JSON object as byte ranges, so that one of them can be replaced without touching the rest.
// Lenient about grammar on purpose: JSON.parse decides what is valid, this decides where things stand and what is too much.

/** Byte offsets: `start` inclusive, `end` exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface ScannedObject {
  /** Just behind the opening brace. */
  readonly open: number;
  /** The values of the top-level members, by decoded name; of a repeated name, the last. */
  readonly members: ReadonlyMap<string, Span>;
  readonly repeated: ReadonlySet<string>;
}

export type ScanProblem = 'not-an-object' | 'malformed' | 'too-deep' | 'too-many-members' | 'key-too-long';

/** What is left of what a body may hold: JSON.parse takes seconds for millions of the smallest parts. */
interface Budget {
  members: number;
  containers: number;
  elements: number;
}

const maxDepth = 64;
const maxMembers = 100_000;
const maxContainers = 100_000;
const maxElements = 1_000_000;
const maxKeyBytes = 16_384;

/** How far behind an escaped quote is looked byte by byte. */
const lookAroundBytes = 256;

const quote = 0x22;
const backslash = 0x5c;

/** One linear pass over a UTF-8 body (a byte order mark counts as blank). Strings are skipped natively, so base64 is cheap. */
export function scanObject(bytes: Buffer): ScannedObject | ScanProblem {
  let at = skipBlank(bytes, bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0);
  if (bytes[at] !== 0x7b) return 'not-an-object';
  const open = ++at;
  const members = new Map<string, Span>();
  const repeated = new Set<string>();
  const budget: Budget = { members: maxMembers, containers: maxContainers, elements: maxElements };
  for (;;) {
    at = skipBlank(bytes, at);
    if (bytes[at] === 0x7d) return { open, members, repeated };
    const key = stringEnd(bytes, at);
    if (key === -1) return 'malformed';
    if (key - at > maxKeyBytes) return 'key-too-long';
    if (--budget.members < 0) return 'too-many-members';
    const name = decodeKey(bytes, at, key);
    at = skipBlank(bytes, key);
    if (name === undefined || bytes[at] !== 0x3a) return 'malformed';
    const start = skipBlank(bytes, at + 1);
    const end = valueEnd(bytes, start, budget);
    if (typeof end !== 'number') return end;
    if (members.has(name)) repeated.add(name);
    members.set(name, { start, end });
    at = skipBlank(bytes, end);
    if (bytes[at] === 0x2c) at++;
    else if (bytes[at] !== 0x7d) return 'malformed';
  }
}

/** The elements of the list that stands there, in order; none where it is no list. */
export function* itemsOf(bytes: Buffer, list: Span): Generator<Span> {
  if (bytes[list.start] !== 0x5b) return;
  const budget: Budget = { members: maxMembers, containers: maxContainers, elements: maxElements };
  for (let at = list.start + 1; at < list.end; at++) {
    const start = skipBlank(bytes, at);
    const end = valueEnd(bytes, start, budget);
    if (typeof end !== 'number') return;
    yield { start, end };
    at = skipBlank(bytes, end);
  }
}

function skipBlank(bytes: Buffer, from: number): number {
  let at = from;
  for (;;) {
    if (!isBlank(bytes[at])) return at;
    at++;
  }
}

export function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** Offset behind the closing quote of the string that opens at `at`; -1 when none opens or it never closes. */
export function stringEnd(bytes: Buffer, at: number): number {
  if (bytes[at] !== quote) return -1;
  let from = at + 1;
  for (;;) {
    const close = bytes.indexOf(quote, from);
    if (close === -1) return -1;
    let slashes = 0;
    while (bytes[close - 1 - slashes] === backslash) slashes++;
    if (slashes % 2 === 0) return close + 1;
    // Where one is escaped others follow soon, and a native call for each of millions takes half a second.
    from = close + 1;
    for (const end = from + lookAroundBytes; from < end && from < bytes.length; from++) {
      if (bytes[from] === quote) return from + 1;
      if (bytes[from] === backslash) from++;
    }
  }
}

/** `"mod\u0065l"` is `model`. */
function decodeKey(bytes: Buffer, start: number, end: number): string | undefined {
  const raw = bytes.toString('utf8', start + 1, end - 1);
  if (!raw.includes('\\')) return raw;
  try {
    const decoded: unknown = JSON.parse(`"${raw}"`);
    return typeof decoded === 'string' ? decoded : undefined;
  } catch {
    return undefined;
  }
}

function valueEnd(bytes: Buffer, start: number, budget: Budget): number | ScanProblem {
  const first = bytes[start];
  if (first === quote) {
    const end = stringEnd(bytes, start);
    return end === -1 ? 'malformed' : end;
  }
  if (first === 0x7b || first === 0x5b) return containerEnd(bytes, start, budget);
  let at = start;
  while (at < bytes.length && !endsScalar(bytes[at])) at++;
  return at === start ? 'malformed' : at;
}

function endsScalar(byte: number | undefined): boolean {
  return (
    byte === 0x2c || byte === 0x7d || byte === 0x5d || byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
  );
}

function containerEnd(bytes: Buffer, start: number, budget: Budget): number | ScanProblem {
  let depth = 1; // the object scanned
  let stringBytes = 0;
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === quote) {
      const end = stringEnd(bytes, at);
      if (end === -1) return 'malformed';
      stringBytes = end - at;
      at = end - 1;
    } else if (byte === 0x3a) {
      if (--budget.members < 0) return 'too-many-members';
      if (stringBytes > maxKeyBytes) return 'key-too-long';
    } else if (byte === 0x7b || byte === 0x5b) {
      if (++depth > maxDepth) return 'too-deep';
      if (--budget.containers < 0) return 'too-many-members';
    } else if (byte === 0x2c) {
      if (--budget.elements < 0) return 'too-many-members';
    } else if (byte === 0x7d || byte === 0x5d) {
      if (--depth === 1) return at + 1;
    }
  }
  return 'malformed';
}
