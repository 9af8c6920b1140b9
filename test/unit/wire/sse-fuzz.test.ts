// Event streams cut anywhere, with any line end: the same events come out, and the same bytes.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventData, hasData, SseSplitter } from '../../../src/wire/sse.ts';
import { cutAt, cutsOf } from '../../support/cuts.ts';

/** As the standard says it, over the whole text at once: the data of each event that has any. */
function dataByTheBook(text: string): readonly string[] {
  const lines = (text.startsWith('\uFEFF') ? text.slice(1) : text).split(/\r\n|\n|\r/);
  const events: string[] = [];
  let data: string[] = [];
  // What stands behind the last line end was never a line.
  for (const line of lines.slice(0, -1)) {
    if (line === '') {
      if (data.length > 0) events.push(data.join('\n'));
      data = [];
      continue;
    }
    const colon = line.indexOf(':');
    const [field, value] = colon === -1 ? [line, ''] : [line.slice(0, colon), line.slice(colon + 1)];
    if (field === 'data') data.push(value.startsWith(' ') ? value.slice(1) : value);
  }
  return events;
}

interface Found {
  readonly data: readonly string[];
  readonly bytes: Buffer;
}

function found(chunks: readonly Buffer[]): Found {
  const splitter = new SseSplitter();
  const data: string[] = [];
  const pieces: Buffer[] = [];
  for (const chunk of chunks) {
    splitter.push(chunk);
    pieces.push(splitter.whole);
    let start = 0;
    for (const end of splitter.ends) {
      const event = splitter.whole.subarray(start, end);
      const read = eventData(event);
      expect(hasData(event)).toBe(read !== undefined);
      if (read !== undefined) data.push(read);
      start = end;
    }
    // Nothing leaves that is not part of a whole event.
    expect(start).toBe(splitter.whole.length);
  }
  return { data, bytes: Buffer.concat([...pieces, splitter.takeTail()]) };
}

const lineEnds = ['\n', '\r\n', '\r'] as const;
const sample = ['\uFEFF: ping', 'data: {"a":"ä€😀"}', 'event: x\ndata: 1\ndata: 2', ':', 'id: 7\ndata', 'data: [DONE]'];

describe('an event stream', () => {
  it.each(lineEnds)('with %j is found the same wherever two cuts fall', (lineEnd) => {
    const text = sample.map((event) => event.replaceAll('\n', lineEnd) + lineEnd + lineEnd).join('');
    const bytes = Buffer.from(text);
    const expected = dataByTheBook(text);
    expect(expected).toHaveLength(4);
    for (let first = 0; first <= bytes.length; first++) {
      for (let second = first; second <= bytes.length; second += 3) {
        const cut = found(cutAt(bytes, [first, second]));
        if (!cut.bytes.equals(bytes)) throw new Error(`bytes differ when cut at ${first} and ${second}`);
        expect(cut.data).toEqual(expected);
      }
    }
  });

  it('of any lines and any mixture of line ends gives what the standard says, however it is cut', () => {
    const line = fc.oneof(
      fc.constantFrom(
        '',
        '',
        'data: x',
        'data:y',
        'data',
        'data:  z',
        ': c',
        ':data: c',
        'event: data:',
        'database: 1',
      ),
      fc.string({ unit: 'grapheme', maxLength: 6 }).map((text) => `data: ${text.replaceAll(/[\r\n]/g, '')}`),
      fc.string({ maxLength: 6 }).map((text) => text.replaceAll(/[\r\n]/g, '')),
    );
    const written = fc.array(fc.tuple(line, fc.constantFrom(...lineEnds)), { maxLength: 30 });
    const stream = fc
      .tuple(fc.constantFrom('', '\uFEFF'), written)
      .map(([mark, lines]) => mark + lines.map(([text, end]) => text + end).join(''));
    fc.assert(
      fc.property(stream, cutsOf, (text, cuts) => {
        const bytes = Buffer.from(text);
        const read = found(cutAt(bytes, cuts));
        expect(read.bytes.toString('latin1')).toBe(bytes.toString('latin1'));
        expect(read.data).toEqual(dataByTheBook(text));
      }),
      { numRuns: 1_000 },
    );
  });
});
