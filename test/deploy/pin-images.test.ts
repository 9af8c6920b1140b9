import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { textOf } from './manifests.ts';
import { root } from './places.ts';

interface PinImages {
  readonly filesWithImages: readonly string[];
  readonly pinnedIn: (text: string) => readonly string[];
  readonly presentDigest: (reference: string) => Promise<string>;
}

const { filesWithImages, pinnedIn, presentDigest }: PinImages = await import(
  pathToFileURL(join(root, 'deploy/pin-images.mjs')).href
);
const digest = `sha256:${'b'.repeat(64)}`;

describe('the script that renews the digests', () => {
  it('knows every image that is named with one', () => {
    const named = filesWithImages.flatMap((file) => [...textOf(file).matchAll(/@sha256:/g)]);
    const found = filesWithImages.flatMap((file) => pinnedIn(textOf(file)));
    expect(found).toHaveLength(named.length);
    expect(found).toHaveLength(5);
  });

  describe('at a registry', () => {
    let registry: Server;
    let asked: string[];
    let address: string;
    beforeEach(async () => {
      asked = [];
      registry = createServer((request, response) => {
        asked.push(`${request.method} ${request.url}`);
        if (request.url?.startsWith('/token')) {
          response.end(JSON.stringify({ token: 'for-everybody' }));
        } else if (request.headers.authorization !== 'Bearer for-everybody') {
          const realm = `Bearer realm="http://${address}/token",service="here",scope="repository:team/app:pull"`;
          response.writeHead(401, { 'www-authenticate': realm }).end();
        } else if (request.url === '/v2/team/app/manifests/1.2') {
          response.writeHead(200, { 'docker-content-digest': digest }).end();
        } else {
          response.writeHead(404).end();
        }
      });
      registry.listen(0, '127.0.0.1');
      await once(registry, 'listening');
      const where = registry.address();
      address = `127.0.0.1:${typeof where === 'object' ? where?.port : ''}`;
    });
    afterEach(() => {
      registry.closeAllConnections();
      registry.close();
    });

    it('gets a token where one is asked for, and reads what the tag is now', async () => {
      expect(await presentDigest(`${address}/team/app:1.2@sha256:${'a'.repeat(64)}`)).toBe(digest);
      expect(asked).toEqual([
        'HEAD /v2/team/app/manifests/1.2',
        'GET /token?service=here&scope=repository%3Ateam%2Fapp%3Apull',
        'HEAD /v2/team/app/manifests/1.2',
      ]);
    });

    it('names the image that is not there', async () => {
      await expect(presentDigest(`${address}/team/app:9@${digest}`)).rejects.toThrow(/team\/app:9: .*404/);
    });
  });
});
