// Where a text stops being JSON. JSON.parse says it in words that quote the text, which may hold a prompt, so the
// position is found here instead. Only runs after JSON.parse has failed.

/** Offset of the first character that can't be part of a JSON value; the length of the text when it ends too early. */
export function jsonErrorOffset(text: string): number {
  const end = value(text, blank(text, 0));
  if (end < 0) return -end - 1;
  return blank(text, end);
}

/** `line 3, column 14`, both counted from 1. */
export function describePosition(text: string, offset: number): string {
  let line = 1;
  let start = 0;
  for (let end = text.indexOf('\n'); end !== -1 && end < offset; end = text.indexOf('\n', start)) {
    line++;
    start = end + 1;
  }
  return `line ${line}, column ${offset - start + 1}`;
}

// Each reader below takes the offset where its part begins and returns the one behind it, or −1 − (offset of the error).
// Nesting is bounded by scanObject, which has run before.

const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const escape = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

function blank(text: string, from: number): number {
  let at = from;
  while (text[at] === ' ' || text[at] === '\n' || text[at] === '\r' || text[at] === '\t') at++;
  return at;
}

function value(text: string, at: number): number {
  switch (text[at]) {
    case '{':
      return list(text, at, '}', member);
    case '[':
      return list(text, at, ']', value);
    case '"':
      return string(text, at);
    case 't':
      return word(text, at, 'true');
    case 'f':
      return word(text, at, 'false');
    case 'n':
      return word(text, at, 'null');
    default:
      return match(number, text, at);
  }
}

function list(text: string, open: number, close: string, item: (text: string, at: number) => number): number {
  let at = blank(text, open + 1);
  if (text[at] === close) return at + 1;
  for (;;) {
    const end = item(text, at);
    if (end < 0) return end;
    at = blank(text, end);
    if (text[at] === close) return at + 1;
    if (text[at] !== ',') return -at - 1;
    at = blank(text, at + 1);
  }
}

function member(text: string, at: number): number {
  const end = string(text, at);
  if (end < 0) return end;
  const colon = blank(text, end);
  return text[colon] === ':' ? value(text, blank(text, colon + 1)) : -colon - 1;
}

function string(text: string, open: number): number {
  if (text[open] !== '"') return -open - 1;
  let at = open + 1;
  while (at < text.length) {
    if (text[at] === '"') return at + 1;
    if (text.charCodeAt(at) < 0x20) return -at - 1;
    const next = text[at] === '\\' ? escaped(text, at) : at + 1;
    if (next < 0) return next;
    at = next;
  }
  return -at - 1;
}

/** A text may be nothing but escaped quotes, too many for a match of each. */
function escaped(text: string, at: number): number {
  const isShort = text[at + 1] === '"' || text[at + 1] === '\\' || text[at + 1] === 'n';
  return isShort ? at + 2 : match(escape, text, at);
}

function word(text: string, at: number, expected: string): number {
  let length = 0;
  while (length < expected.length && text[at + length] === expected[length]) length++;
  return length === expected.length ? at + length : -(at + length) - 1;
}

function match(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : -at - 1;
}
