// What is different between two configurations in the words of fleet.yaml, as effective.ts and a running router write them: limits,
// and settings that only a restart applies. Pure. Keys are told by their tenant and place, never by themselves.
import { type RestartSetting, restartSettings } from '../fleet/changes.ts';
import { isObject, objectOf, objectsIn, textOf } from '../wire/json-value.ts';

export function limitChanges(before: unknown, after: unknown): readonly string[] {
  const [old, now] = [limitsOf(before), limitsOf(after)];
  const owners = new Set([...old.keys(), ...now.keys()]);
  return [...owners].flatMap((owner) => {
    const [was, is] = [old.get(owner) ?? {}, now.get(owner) ?? {}];
    const names = Object.keys({ ...was, ...is }).filter((name) => !isSame(was[name], is[name]));
    return names.map((name) => `${owner}: ${name} ${shown(was[name])} → ${shown(is[name])}`);
  });
}

/** What the files of TLS hold and passwords are not in these words, so that other ones are not noticed. */
export function restartsBetween(before: unknown, after: unknown): readonly RestartSetting[] {
  return restartSettings.filter((setting) => !isSame(settingOf(before, setting), settingOf(after, setting)));
}

type Limits = Readonly<Record<string, unknown>>;

function limitsOf(written: unknown): ReadonlyMap<string, Limits> {
  const auth = objectOf(at(written, 'auth'));
  const counts = new Map<string, number>();
  const ofKeys = objectsIn(auth?.['keys']).map((key) => {
    const tenant = textOf(key['tenant']) ?? '';
    const count = (counts.get(tenant) ?? 0) + 1;
    counts.set(tenant, count);
    return [`key ${count} of ${tenant}`, key['limits']] as const;
  });
  const ofTenants = entriesOf(auth?.['tenants']).flatMap(([tenant, settings]) => [
    [`tenant ${tenant}`, at(settings, 'limits')] as const,
    ...entriesOf(at(settings, 'model_limits')).map(([model, own]) => [`tenant ${tenant} on ${model}`, own] as const),
  ]);
  const ofModels = entriesOf(at(written, 'models')).map(
    ([model, settings]) => [`each tenant on ${model}`, at(settings, 'limits')] as const,
  );
  return new Map([...ofKeys, ...ofTenants, ...ofModels].map(([owner, limits]) => [owner, objectOf(limits) ?? {}]));
}

/** A port goes on to speak what it spoke; with which certificates does not matter. */
function settingOf(written: unknown, setting: RestartSetting): unknown {
  const value = setting.split('.').reduce(at, written);
  if (!setting.endsWith('.tls') || !isObject(value)) return value;
  return value['client_ca_file'] === undefined ? 'tls' : 'mutual tls';
}

function at(value: unknown, name: string): unknown {
  return objectOf(value)?.[name];
}

function entriesOf(value: unknown): readonly (readonly [string, unknown])[] {
  return Object.entries(objectOf(value) ?? {});
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function shown(limit: unknown): string {
  if (!isObject(limit)) return typeof limit === 'number' ? String(limit) : 'none';
  return (
    Object.entries(limit)
      .map(([what, amount]) => `${String(amount)} ${what}`)
      .join(', ') || 'none'
  );
}
