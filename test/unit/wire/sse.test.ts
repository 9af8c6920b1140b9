import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventData, hasData, SseSplitter } from '../../../src/wire/sse.ts';

/** Feeds the chunks and returns the events, and every byte in the order it would leave. */
function split(chunks: readonly Buffer[]): { events: string[]; bytes: string } {
  const splitter = new SseSplitter();
  const events: string[] = [];
  let bytes = '';
  for (const chunk of chunks) {
    splitter.push(chunk);
    let start = 0;
    for (const end of splitter.ends) {
      events.push(splitter.whole.toString('latin1', start, end));
      start = end;
    }
    expect(start).toBe(splitter.whole.length);
    bytes += splitter.whole.toString('latin1');
  }
  return { events, bytes: bytes + splitter.takeTail().toString('latin1') };
}

function cutEvery(text: string, size: number): Buffer[] {
  const all = Buffer.from(text);
  return Array.from({ length: Math.ceil(all.length / size) }, (_, n) => all.subarray(n * size, (n + 1) * size));
}

const events = [': ping', 'data: {"a":"ä€😀"}', 'event: x\ndata: 1\ndata: 2', 'data: [DONE]'];

describe('splitting a stream into events', () => {
  for (const [name, lineEnd] of [
    ['LF', '\n'],
    ['CRLF', '\r\n'],
    ['CR', '\r'],
  ] as const) {
    it(`finds the same events wherever the chunks were cut (${name})`, () => {
      const text = events.map((event) => event.replaceAll('\n', lineEnd) + lineEnd + lineEnd).join('');
      const whole = split([Buffer.from(text)]);
      expect(whole.events).toHaveLength(events.length);
      for (let size = 1; size <= text.length; size++) {
        const cut = split(cutEvery(text, size));
        expect(cut.bytes).toBe(whole.bytes);
        expect(cut.events.map((event) => eventData(Buffer.from(event, 'latin1')))).toEqual(
          events.map((event) => eventData(Buffer.from(`${event}\n\n`))),
        );
      }
    });
  }

  it('keeps the unfinished tail back and never drops a byte', () => {
    const splitter = new SseSplitter();
    splitter.push(Buffer.from('data: 1\n\ndata: 2'));
    expect(splitter.whole.toString()).toBe('data: 1\n\n');
    expect(splitter.pendingBytes).toBe(7);
    splitter.push(Buffer.from('\n'));
    expect(splitter.ends).toEqual([]);
    splitter.push(Buffer.from('\n'));
    expect(splitter.whole.toString()).toBe('data: 2\n\n');
  });

  it('hands on an event that ends with CR at once', () => {
    const splitter = new SseSplitter();
    splitter.push(Buffer.from('data: 1\r\r'));
    expect(splitter.ends).toEqual([9]);
  });

  it('returns exactly the bytes it was given, whatever they are', () => {
    const piece = fc.constantFrom('data: x', '\n', '\r', '\r\n', '\n\n', ':', 'é', '{}');
    fc.assert(
      fc.property(fc.array(piece), fc.integer({ min: 1, max: 7 }), (pieces, size) => {
        const text = pieces.join('');
        expect(split(cutEvery(text, size)).bytes).toBe(Buffer.from(text).toString('latin1'));
      }),
    );
  });
});

describe('the data of an event', () => {
  it('joins its lines, with or without the space, and ignores other fields', () => {
    expect(eventData(Buffer.from('id: 7\ndata: a\ndata:b\ndata\n\n'))).toBe('a\nb\n');
  });

  it('is absent in comments', () => {
    expect(eventData(Buffer.from(': keep-alive\n\n'))).toBeUndefined();
  });

  it('is found behind a byte order mark', () => {
    expect(eventData(Buffer.from('\uFEFFdata: a\n\n'))).toBe('a');
  });
});

describe('an event', () => {
  it.each([
    ['data: x\n\n', true],
    ['\uFEFFdata:x\n\n', true],
    ['event: e\r\ndata\r\n\r\n', true],
    ['id: 1\rdata:\r\r', true],
    [': data: x\n\n', false],
    ['event: data:\n\n', false],
    ['database: x\n\n', false],
    ['', false],
  ])('%j has data: %s', (text, has) => {
    expect(hasData(Buffer.from(text))).toBe(has);
    expect(eventData(Buffer.from(text)) !== undefined).toBe(has);
  });
});
