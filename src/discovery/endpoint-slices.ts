// EndpointSlices of Kubernetes (discovery.k8s.io/v1) as backends. Reads what an API server sends without trusting its shape.
import type { Found } from '../fleet/discovery.ts';

export interface Slice {
  readonly name: string;
  readonly found: readonly Found[];
}

/** Absent where it is none. `port`: a number, or the name that the service gives to one. */
export function readSlice(object: unknown, port: number | string): Slice | undefined {
  const name = textOf(field(field(object, 'metadata'), 'name'));
  if (name === undefined) return undefined;
  const target = typeof port === 'number' ? port : portNamed(field(object, 'ports'), port);
  if (target === undefined) return { name, found: [] };
  const found = listOf(field(object, 'endpoints')).flatMap((endpoint) => {
    // Every address of one endpoint is the same pod.
    const host = textOf(listOf(field(endpoint, 'addresses'))[0]);
    const wanted = wantedOf(field(endpoint, 'conditions'));
    if (host === undefined || wanted === 'no') return [];
    const own = field(endpoint, 'targetRef');
    const pod = field(own, 'kind') === 'Pod' ? textOf(field(own, 'name')) : undefined;
    return [{ name: pod ?? `${host}:${target}`, host, port: target, share: 1, isLeaving: wanted === 'leaving' }];
  });
  return { name, found };
}

export function versionOf(object: unknown): string | undefined {
  return textOf(field(field(object, 'metadata'), 'resourceVersion'));
}

/**
 * One backend for each name. While pods move between slices, and where a pod has an address of each kind, it stands in several:
 * who takes requests comes before who is leaving, IPv4 before IPv6, so that which one is taken does not depend on chance.
 */
export function merge(slices: Iterable<Slice>): readonly Found[] {
  const byName = new Map<string, Found>();
  for (const one of [...slices].flatMap(({ found }) => found).toSorted(inOrder))
    if (!byName.has(one.name)) byName.set(one.name, one);
  return [...byName.values()];
}

function inOrder(a: Found, b: Found): number {
  const [left, right] = [rankOf(a), rankOf(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

function rankOf({ name, host, isLeaving }: Found): string {
  return `${name} ${isLeaving ? 1 : 0}${host.includes(':') ? 1 : 0} ${host}`;
}

/** Conditions that are left out mean: ready. A pod that ends goes on with what it has, if it still says that it serves. */
function wantedOf(conditions: unknown): 'yes' | 'leaving' | 'no' {
  if (field(conditions, 'ready') !== false) return field(conditions, 'terminating') === true ? 'leaving' : 'yes';
  return field(conditions, 'terminating') === true && field(conditions, 'serving') === true ? 'leaving' : 'no';
}

function portNamed(ports: unknown, name: string): number | undefined {
  const port = field(
    listOf(ports).find((one) => field(one, 'name') === name),
    'port',
  );
  return typeof port === 'number' && Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined;
}

export function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined;
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= 253 ? value : undefined;
}
