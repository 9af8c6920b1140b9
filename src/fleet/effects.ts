// What another fleet file would do to what is served now: backends that come and go, models gained and lost, and who gets
// which part of a model's requests. Pure.

/** One side of the comparison, however it was found out. */
export interface Standing {
  readonly backends: readonly StandingBackend[];
  /** By canonical name. */
  readonly models: ReadonlyMap<string, readonly StandingMember[]>;
}

export interface StandingBackend {
  readonly name: string;
  /** Null: it has none, because it is simulated. */
  readonly url: string | null;
  readonly weight: number;
  readonly state: string;
}

export interface StandingMember {
  readonly backend: string;
  readonly weight: number;
  /** Whether it could take a request. */
  readonly usable: boolean;
}

export interface Effects {
  readonly added: readonly StandingBackend[];
  readonly removed: readonly StandingBackend[];
  /** Of the same name, with what is different in words. */
  readonly changed: readonly { readonly name: string; readonly how: string }[];
  readonly models: readonly ModelEffect[];
  /** What there was and would not be any more, in words; empty: nothing is lost. */
  readonly losses: readonly string[];
}

export interface ModelEffect {
  readonly model: string;
  readonly change: 'gained' | 'lost' | 'other' | 'same';
  readonly before: readonly Share[];
  readonly after: readonly Share[];
}

export interface Share {
  readonly backend: string;
  /** 0 to 1, by weight among those that can take requests. */
  readonly share: number;
}

export function effectsOf(before: Standing, after: Standing): Effects {
  const old = new Map(before.backends.map((backend) => [backend.name, backend]));
  const names = new Set(after.backends.map(({ name }) => name));
  const changed = after.backends.flatMap((backend) => {
    const how = differences(old.get(backend.name), backend);
    return how === '' ? [] : [{ name: backend.name, how }];
  });
  const all = new Set([...before.models.keys(), ...after.models.keys()]);
  const models = [...all].map((model) => modelEffect(model, before.models.get(model), after.models.get(model)));
  return {
    added: after.backends.filter(({ name }) => !old.has(name)),
    removed: before.backends.filter(({ name }) => !names.has(name)),
    changed,
    models,
    losses: models.flatMap(lossesOf),
  };
}

function differences(before: StandingBackend | undefined, after: StandingBackend): string {
  if (before === undefined) return '';
  const parts = (['url', 'weight', 'state'] as const).filter((part) => before[part] !== after[part]);
  return parts.map((part) => `${part} ${before[part] ?? 'none'} → ${after[part] ?? 'none'}`).join(', ');
}

function modelEffect(
  model: string,
  before: readonly StandingMember[] | undefined = [],
  after: readonly StandingMember[] | undefined = [],
): ModelEffect {
  const [old, now] = [sharesOf(before), sharesOf(after)];
  const isSame = JSON.stringify(old) === JSON.stringify(now);
  const change = isSame ? 'same' : old.length === 0 ? 'gained' : now.length === 0 ? 'lost' : 'other';
  return { model, change, before: old, after: now };
}

function sharesOf(members: readonly StandingMember[]): readonly Share[] {
  const usable = members.filter((member) => member.usable);
  const sum = usable.reduce((total, { weight }) => total + weight, 0);
  const shares = usable.map(({ backend, weight }) => ({ backend, share: weight / sum }));
  return shares.toSorted((a, b) => (a.backend < b.backend ? -1 : 1));
}

function lossesOf({ model, change, before, after }: ModelEffect): readonly string[] {
  const still = new Set(after.map(({ backend }) => backend));
  const gone = before.filter(({ backend }) => !still.has(backend)).map(({ backend }) => backend);
  if (change === 'lost') return [`model "${model}" loses its last member: ${gone.join(', ')}`];
  if (after.length >= before.length) return [];
  return [
    `model "${model}" has ${after.length} member${after.length === 1 ? '' : 's'} instead of ${before.length}: ${gone.join(', ')} gone`,
  ];
}
