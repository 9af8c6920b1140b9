// Groups that are followed: what each is known to consist of, and that it does not vanish by one bad answer.
import type { Found, FoundByGroup, Group } from '../fleet/discovery.ts';
import { keyOf } from '../fleet/discovery.ts';
import type { Clock } from '../clock.ts';
import { type Cluster, type AskApi, lookInCluster } from './kubernetes.ts';
import { lookByName, type Names } from './dns.ts';
import type { Looking, Teller } from './source.ts';

export interface FollowParts {
  readonly clock: Clock;
  readonly random: () => number;
  readonly ask: AskApi;
  readonly cluster: Cluster;
  readonly names?: Names;
  readonly observer: DiscoveryObserver;
}

export interface DiscoveryObserver {
  /** What there is of some group is not what it was. */
  changed(): void;
  /** Told once, until it answers again. `kept`: how many backends go on as they were. */
  failed(group: string, code: string, kept: number): void;
  /** `isBack`: after a failure. */
  answers(group: string, found: number, isBack: boolean): void;
  /** It is not followed any more. */
  forgotten(group: string): void;
}

export interface Followers {
  /** Follows these and no others, and of these none that is disabled. Resolves when each has been looked up once, whatever came of it, or it has taken too long. */
  follow(groups: readonly Group[]): Promise<void>;
  /** By the keys of the groups. */
  found(): FoundByGroup;
  /** How many of them nobody has told anything about yet. */
  unheard(): number;
  /** Follows nothing any more, whoever asks for it afterwards. */
  close(): Promise<void>;
}

/** An empty answer after another one counts as a failure for so many times `every`. */
const emptyRounds = 3;
/** More servers than that are a mistake of who answers. */
const mostFound = 1_000;
const firstLookMs = 3_000;

export function createFollowers(parts: FollowParts): Followers {
  const followed = new Map<string, Followed>();
  let isClosed = false;
  return {
    async follow(groups) {
      if (isClosed) return;
      const used = groups.filter(({ template }) => template.state !== 'disabled');
      const wanted = new Map(used.map((group) => [keyOf(group), group]));
      const gone = [...followed].filter(([key]) => !wanted.has(key));
      // Under another name or interval it is still the same that is found, also while nobody answers.
      const before = new Map([...followed.values()].map((one) => [one.source, one]));
      for (const [key] of gone) followed.delete(key);
      for (const [key, group] of wanted)
        if (!followed.has(key)) followed.set(key, new Followed(group, parts, before.get(sourceOf(group))));
      await Promise.all(gone.map(([, one]) => one.stop()));
      const left = new Set([...followed.values()].map(({ name }) => name));
      for (const [, { name }] of gone) if (!left.has(name)) parts.observer.forgotten(name);
      await withinFirstLook(parts.clock, Promise.all([...followed.values()].map(({ first }) => first)));
    },
    found: () => new Map([...followed].map(([key, one]) => [key, one.found])),
    unheard: () => [...followed.values()].filter(({ isHeard }) => !isHeard).length,
    async close() {
      isClosed = true;
      const all = [...followed.values()];
      followed.clear();
      await Promise.all(all.map((one) => one.stop()));
    },
  };
}

async function withinFirstLook(clock: Clock, looks: Promise<unknown>): Promise<void> {
  const over = Promise.withResolvers<void>();
  const cancel = clock.after(firstLookMs, over.resolve);
  await Promise.race([looks, over.promise]);
  cancel();
}

class Followed implements Teller {
  readonly name: string;
  readonly source: string;
  readonly #parts: FollowParts;
  readonly #everyMs: number;
  readonly #looking: Looking;
  readonly #first = Promise.withResolvers<void>();
  #found: readonly Found[];
  #isHeard: boolean;
  /** Of the last failure told. */
  #failure: string | undefined = undefined;
  /** Ends the time after which nothing is believed to be nothing. */
  #cancelEmpty: (() => void) | undefined = undefined;

  constructor(group: Group, parts: FollowParts, before: Followed | undefined) {
    this.name = group.name;
    this.source = sourceOf(group);
    this.#found = before?.found ?? [];
    this.#isHeard = before?.isHeard ?? false;
    this.#parts = parts;
    this.#everyMs = group.everyMs;
    const { source, everyMs } = group;
    this.#looking =
      source.kind === 'dns'
        ? lookByName(source, { ...parts, everyMs }, this)
        : lookInCluster(source, { ...parts, everyMs }, this);
  }

  get first(): Promise<void> {
    return this.#first.promise;
  }

  get found(): readonly Found[] {
    return this.#found;
  }

  /** Whether there was ever an answer. */
  get isHeard(): boolean {
    return this.#isHeard;
  }

  answered(found: readonly Found[]): void {
    if (found.length === 0 && this.#found.length > 0) {
      this.#cancelEmpty ??= this.#parts.clock.after(this.#everyMs * emptyRounds, () => this.#take([]));
      this.#fail('empty');
    } else {
      this.#take(found.slice(0, mostFound));
    }
    this.#first.resolve();
  }

  failed(code: string): void {
    // Whether it is still empty nobody knows now.
    this.#endEmpty();
    this.#fail(code);
    this.#first.resolve();
  }

  async stop(): Promise<void> {
    this.#endEmpty();
    this.#first.resolve();
    await this.#looking.stop();
    this.#endEmpty();
  }

  #take(found: readonly Found[]): void {
    this.#endEmpty();
    // That there is nothing is news the first time.
    const isNews = !this.#isHeard || JSON.stringify(found) !== JSON.stringify(this.#found);
    this.#isHeard = true;
    this.#found = found;
    const isBack = this.#failure !== undefined;
    this.#failure = undefined;
    this.#parts.observer.answers(this.name, found.length, isBack);
    if (isNews) this.#parts.observer.changed();
  }

  #fail(code: string): void {
    if (this.#failure !== code) this.#parts.observer.failed(this.name, code, this.#found.length);
    this.#failure = code;
  }

  #endEmpty(): void {
    this.#cancelEmpty?.();
    this.#cancelEmpty = undefined;
  }
}

function sourceOf({ source }: Group): string {
  return JSON.stringify(source);
}
