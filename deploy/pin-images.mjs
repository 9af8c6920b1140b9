// Writes the present digest of each image behind its tag, wherever an image is named: `node deploy/pin-images.mjs`.
// With --check it writes nothing and exits with 1 when one is not the present one. Needs the images' registries.
// Plain JavaScript without dependencies, as the other scripts here.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
export const filesWithImages = ['deploy/Dockerfile', 'deploy/compose.yaml'];

/** name:tag@sha256:… behind FROM or image:, each once. */
export function pinnedIn(text) {
  const pinned = /^(?:FROM|\s*image:(?:\s+&\w+)?)\s+(\S+:[\w.-]+@sha256:[0-9a-f]{64})/gm;
  return [...new Set([...text.matchAll(pinned)].map(([, reference]) => reference))];
}

/** The digest that the tag has now, of the list for all platforms. */
export async function presentDigest(reference) {
  const [, name, tag] = /^(.+):([\w.-]+)@/.exec(reference) ?? [];
  const { registry, repository } = placeOf(name);
  const url = `${registry}/v2/${repository}/manifests/${tag}`;
  const accept = [
    'application/vnd.oci.image.index.v1+json',
    'application/vnd.docker.distribution.manifest.list.v2+json',
  ].join(', ');
  let answer = await fetch(url, { method: 'HEAD', headers: { accept } });
  if (answer.status === 401) {
    const authorization = `Bearer ${await tokenFor(answer.headers.get('www-authenticate') ?? '')}`;
    answer = await fetch(url, { method: 'HEAD', headers: { accept, authorization } });
  }
  const digest = answer.headers.get('docker-content-digest');
  if (!answer.ok || digest === null) throw new Error(`${name}:${tag}: the registry answered ${answer.status}`);
  return digest;
}

/** As Docker reads it: without a host it is Docker Hub, and there without a user it is one of its own; loopback has no TLS. */
function placeOf(name) {
  const [first, ...rest] = name.split('/');
  const hasHost = rest.length > 0 && /[.:]/.test(first);
  if (!hasHost)
    return { registry: 'https://registry-1.docker.io', repository: rest.length > 0 ? name : `library/${name}` };
  const scheme = /^(?:localhost|127\.)/.test(first) ? 'http' : 'https';
  return { registry: `${scheme}://${first}`, repository: rest.join('/') };
}

/** Registries tell where to get a token, also for images that everybody may have. */
async function tokenFor(challenge) {
  const fields = Object.fromEntries([...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, value]) => [key, value]));
  if (fields.realm === undefined) throw new Error('the registry asks for a login');
  const { realm, service = '', scope = '' } = fields;
  const answer = await fetch(`${realm}?${new URLSearchParams({ service, scope })}`);
  if (!answer.ok) throw new Error(`${realm} answered ${answer.status}`);
  const { token, access_token } = await answer.json();
  return token ?? access_token;
}

async function main(args) {
  const isCheck = args.includes('--check');
  for (const file of filesWithImages) {
    let text = readFileSync(join(root, file), 'utf8');
    for (const reference of pinnedIn(text)) {
      const present = reference.replace(/sha256:.*/, await presentDigest(reference));
      const isPresent = present === reference;
      console.log(`${file}: ${isPresent ? `${reference} is the present one` : `${reference} → ${present}`}`);
      if (!isPresent && isCheck) process.exitCode = 1;
      text = text.replaceAll(reference, present);
    }
    if (!isCheck) writeFileSync(join(root, file), text);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  main(process.argv.slice(2)).catch((error) => {
    console.error(`pin-images: ${error.message}${error.cause ? ` (${error.cause.message})` : ''}`);
    process.exitCode = 1;
  });
}
