// The streams that a benchmark reads: it must see what a proxy loses, doubles, mixes up or cuts.
import { execFile } from 'node:child_process';
import { createServer, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { contentOf, streamHead } from '../bench/load/content.ts';
import type { StreamsResult } from '../bench/load/streams.ts';
import { root } from '../support/router-process.ts';

const run = promisify(execFile);
const server = createServer();

afterEach(() => {
  server.removeAllListeners('request');
  server.closeAllConnections();
  server.close();
});

describe('streams of a benchmark', () => {
  it('are right when every event comes, however the bytes are cut', async () => {
    const result = await readFrom((name, response) => {
      const text = [0, 1, 2].map((n) => contentOf(name, n, 3)).join('');
      response.write(streamHead + text.slice(0, 150));
      response.write(text.slice(150, 151));
      response.end(`${text.slice(151)}data: [DONE]\n\n`);
    });
    expect(result.wrong).toBe(0);
    expect(result.events).toBeGreaterThan(0);
    expect(result.streamsEnded).toBeGreaterThan(0);
  });

  it.each([
    ['one is lost', [0, 2]],
    ['one comes twice', [0, 1, 1, 2]],
    ['two change places', [1, 0, 2]],
  ])('are wrong when %s', async (_, numbers) => {
    const result = await readFrom((name, response) => {
      response.end(`${streamHead}${numbers.map((n) => contentOf(name, n, 3)).join('')}data: [DONE]\n\n`);
    });
    expect(result.wrong).toBeGreaterThan(0);
  });

  it("are wrong when an event is another stream's", async () => {
    const result = await readFrom((_, response) => {
      response.end(`${streamHead}${contentOf('somebody', 0, 1)}data: [DONE]\n\n`);
    });
    expect(result.wrong).toBeGreaterThan(0);
  });

  it('are wrong when they end without saying so', async () => {
    const result = await readFrom((name, response) => response.end(streamHead + contentOf(name, 0, 3)));
    expect(result.wrong).toBeGreaterThan(0);
  });
});

async function readFrom(answer: (name: string, response: ServerResponse) => void): Promise<StreamsResult> {
  server.on('request', (request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      const [, name = ''] = /"\[(\w+)\] /.exec(body) ?? [];
      answer(name, response.writeHead(200, { 'content-type': 'text/event-stream' }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const url = `http://127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}/v1/chat/completions`;
  const file = join(root, 'test/bench/load/streams.ts');
  const options = ['--url', url, '--streams', '2', '--warmup', '0', '--seconds', '2'];
  const { stdout } = await run(process.execPath, [file, ...options]);
  const result: StreamsResult = JSON.parse(stdout.slice(stdout.indexOf('{')));
  return result;
}
