// The pods behind a Service, watched through the API server of the cluster that the router runs in: listed, then followed change by
// change, and listed again whenever that ends.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Source } from '../fleet/discovery.ts';
import { field, listOf, merge, readSlice, type Slice, versionOf } from './endpoint-slices.ts';
import { lines, whole } from './read-body.ts';
import { codeOf, jittered, type Looking, pause, type SourceParts, type Teller } from './source.ts';

/** One GET. Rejects when no answer comes; `close` ends it, whatever is still to come. */
export type AskApi = (request: {
  readonly origin: string;
  readonly path: string;
  readonly ca: string;
  readonly token: string;
  readonly ended: AbortSignal;
}) => Promise<{ readonly status: number; readonly body: AsyncIterable<Buffer>; close(): Promise<void> }>;

/** How a pod finds its API server. */
export interface Cluster {
  readonly host: string | undefined;
  readonly port: string | undefined;
  /** With the files `token`, `ca.crt` and `namespace`. */
  readonly account: string;
}

export interface KubernetesParts extends SourceParts {
  readonly everyMs: number;
  readonly ask: AskApi;
  readonly cluster: Cluster;
}

/** Why nothing is known, as a word for the log. */
class Unknown extends Error {
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

/** The server ends a watch after this long; one that is silent for longer is dead. */
const watchSeconds = 240;
const shortWatchMs = 5_000;
const firstBackOffMs = 500;

type KubernetesSource = Extract<Source, { kind: 'kubernetes' }>;

export function lookInCluster(source: KubernetesSource, parts: KubernetesParts, teller: Teller): Looking {
  const { clock, random, everyMs } = parts;
  const ended = new AbortController();
  const running = (async () => {
    for (let failures = 0; !ended.signal.aborted; ) {
      const before = clock.now();
      try {
        await listAndWatch(source, { ...parts, ended: ended.signal }, teller);
        // A watch that the server ends at once would otherwise be asked for without a pause.
        failures = clock.now() - before > shortWatchMs ? 0 : failures + 1;
      } catch (thrown) {
        failures += 1;
        if (!ended.signal.aborted) teller.failed(codeOf(thrown));
      }
      const waitMs = Math.min(everyMs, firstBackOffMs * 2 ** Math.min(failures, 10));
      await pause(clock, jittered(waitMs, random), ended.signal);
    }
  })();
  return {
    async stop() {
      ended.abort();
      await running;
    },
  };
}

/** Returns when the watch has ended in a way that is not a failure: its time is up, or what it starts from is too old (410). */
async function listAndWatch(
  source: KubernetesSource,
  parts: KubernetesParts & { readonly ended: AbortSignal },
  teller: Teller,
): Promise<void> {
  const { origin, ca, token, namespace } = readAccount(source, parts.cluster);
  const selector = encodeURIComponent(`kubernetes.io/service-name=${source.service}`);
  const path = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices?labelSelector=${selector}`;
  const ask = (more: string) => parts.ask({ origin, path: path + more, ca, token, ended: parts.ended });

  const listed = await ask('');
  let list: unknown;
  try {
    if (listed.status !== 200) throw new Unknown(`HTTP ${listed.status}`);
    list = await whole(listed.body);
  } finally {
    await listed.close();
  }
  const slices = new Map<string, Slice>();
  for (const item of listOf(field(list, 'items'))) {
    const slice = readSlice(item, source.port);
    if (slice !== undefined) slices.set(slice.name, slice);
  }
  const version = versionOf(list);
  if (version === undefined) throw new Unknown('not a list');
  teller.answered(merge(slices.values()));

  const from = `&watch=true&allowWatchBookmarks=true&timeoutSeconds=${watchSeconds}`;
  const watch = await ask(`${from}&resourceVersion=${encodeURIComponent(version)}`);
  try {
    if (watch.status === 410) return;
    if (watch.status !== 200) throw new Unknown(`HTTP ${watch.status}`);
    for await (const event of lines(watch.body)) {
      const [type, object] = [field(event, 'type'), field(event, 'object')];
      if (type === 'BOOKMARK') continue;
      if (type === 'ERROR') {
        if (field(object, 'code') === 410) return;
        throw new Unknown('watch failed');
      }
      const slice = readSlice(object, source.port);
      if (slice === undefined) continue;
      if (type === 'DELETED') slices.delete(slice.name);
      else slices.set(slice.name, slice);
      teller.answered(merge(slices.values()));
    }
  } finally {
    await watch.close();
  }
}

/** Read each time: the token is exchanged every hour. */
function readAccount({ namespace }: KubernetesSource, { host, port = '443', account }: Cluster) {
  if (host === undefined || host === '') throw new Unknown('not in a cluster');
  const read = (file: string) => {
    try {
      return readFileSync(join(account, file), 'utf8').trim();
    } catch {
      throw new Unknown('no service account');
    }
  };
  return {
    origin: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    ca: read('ca.crt'),
    token: read('token'),
    namespace: encodeURIComponent(namespace ?? read('namespace')),
  };
}
