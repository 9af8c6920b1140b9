// JSON of an API server: one value, or one on each line for as long as it lasts. Bounded, because nothing that is sent may be endless.

const mostBytes = 16 * 2 ** 20;

/** @throws what JSON.parse does, and RangeError where it is too large. */
export async function whole(body: AsyncIterable<Buffer>): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > mostBytes) throw new RangeError('too large');
    chunks.push(chunk);
  }
  return JSON.parse(Buffer.concat(chunks).toString('utf8'));
}

/** A last line that was cut off is left out: the end of the body tells that. */
export async function* lines(body: AsyncIterable<Buffer>): AsyncGenerator {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of body) {
    rest = Buffer.concat([rest, chunk]);
    for (let end = rest.indexOf(10); end !== -1; end = rest.indexOf(10)) {
      const line = rest.subarray(0, end).toString('utf8').trim();
      rest = rest.subarray(end + 1);
      if (line !== '') yield JSON.parse(line);
    }
    if (rest.length > mostBytes) throw new RangeError('too large');
  }
}
