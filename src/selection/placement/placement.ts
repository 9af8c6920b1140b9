// Where a request costs least: the state behind the policy `least-cost`, of one router. Knows backends by their dense index and
// requests as a few numbers; what it learns of both it learns from what is booked here. No I/O; time and chance are parameters.
import type { Clock } from '../../clock.ts';
import { leastCostDefaults, type LeastCostSettings } from '../../fleet/least-cost-settings.ts';
import { Booking, type Charge, type Ledger } from './charge.ts';
import { type Appraisal, costOf, defaultWeights, noTerms, type Weights, type Work } from './cost.ts';
import { DueList } from './due.ts';
import { Experience } from './experience.ts';
import { chunkTokens, type Fingerprint } from './fingerprint.ts';
import { HeavyPrefixes } from './heavy.ts';
import { Homes } from './homes.ts';
import { Loads, type Report, type Standing } from './loads.ts';
import { type Message, Outbox } from './outbox.ts';
import { Peers } from './peers.ts';
import { Matches, PrefixIndex } from './prefix-index.ts';
import { Shortlist } from './shortlist.ts';

/** A request as numbers. */
export interface Job {
  readonly print: Fingerprint;
  /** Estimates. */
  readonly promptTokens: number;
  readonly answerTokens: number;
  /** Hash of the key that its caller has named its conversation by; 0: none. */
  readonly session: number;
  /** Bytes of the prompt that were part of an earlier one: up to the last answer in it. */
  readonly knownBytes: number;
  readonly stream: boolean;
}

/** Holders of a prefix that are compared have at least this part of the longest match. */
const worthComparing = 0.5;
const mostHolders = 4;
/** Of what a home is taken to know while routers can't tell each other. */
const trustInHomes = 0.8;

export class Placement {
  readonly loads = new Loads();
  readonly index: PrefixIndex;
  readonly peers = new Peers(this.loads);
  /** Positions in the list that `choose` was given, best first, and their costs; until the next one. */
  readonly shortlist: Shortlist;
  /** Routers that are in touch, this one included. */
  get routers(): number {
    return this.peers.size + 1;
  }
  /** There are other routers, and this one does not hear of them. */
  cutOff = false;
  #settings: LeastCostSettings;
  #weights: Weights;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #heavy = new HeavyPrefixes();
  readonly #homes = new Homes();
  readonly #experience: Experience;
  readonly #ledger: Ledger;
  readonly #outbox = new Outbox();
  readonly #due = new DueList();
  readonly #matches = new Matches();
  /** Of which request the matches are, and its first home, where that was looked for. */
  #known: Job | undefined = undefined;
  #home = -1;
  /** How many prompts begin alike before that tells nothing. */
  #heavyShare = 0.5;
  readonly #work: Work = { promptTokens: 0, cachedTokens: 0, answerTokens: 0 };
  readonly #terms = noTerms();

  constructor(clock: Pick<Clock, 'now'>, random: () => number, settings: LeastCostSettings = leastCostDefaults) {
    this.#clock = clock;
    this.#settings = settings;
    this.#weights = { ...defaultWeights, ttftObjective: settings.ttftObjectiveMs / 1000 };
    this.shortlist = new Shortlist(random);
    this.index = new PrefixIndex(settings.prefix ? settings.indexEntries : 0);
    this.#experience = new Experience(this.loads, this.index);
    this.#ledger = {
      loads: this.loads,
      experience: this.#experience,
      nowMs: () => clock.now(),
      changed: (backend) => this.#outbox.changed(backend),
    };
  }

  configure(settings: LeastCostSettings): void {
    this.#settings = settings;
    this.#weights = { ...defaultWeights, ttftObjective: settings.ttftObjectiveMs / 1000 };
    this.index.limit(settings.prefix ? settings.indexEntries : 0);
    this.#known = undefined;
  }

  /** A backend that was not known, or that another one has given its index to: nothing is left of what was known. */
  join(backend: number, standing: Standing): void {
    this.loads.join(backend, standing);
    this.peers.forgetBackend(backend);
    this.index.restart(backend);
    this.#experience.forget(backend);
  }

  /** Its settings, or what it says of its capacity, are other ones. */
  update(backend: number, standing: Standing): void {
    this.loads.update(backend, standing);
    this.#experience.capacityKnown(backend);
  }

  /** Its cache is empty. */
  restarted(backend: number): void {
    this.index.restart(backend);
  }

  reported(backend: number, report: Report): void {
    this.loads.report(backend, report);
  }

  /**
   * Compares backends for a request, `count` of them, at least one, and fills the shortlist. Nothing is booked. Who has seen
   * its beginning, its homes, and some at random; or all, while that is cheap and what is known of them is fresh.
   */
  choose(backends: Int32Array, count: number, job: Job): void {
    this.gather(backends, count, job);
    this.compare(job);
  }

  /** The first half of a choice: who is compared. */
  gather(backends: Int32Array, count: number, job: Job): void {
    const { shortlist } = this;
    this.#heavyShare = 0.5 / count;
    this.#know(job);
    shortlist.begin(backends, count);
    const all = this.routers === 1 && count <= this.#settings.fullScan;
    if (!all || this.cutOff) this.#goHome(backends, count, job);
    if (all) shortlist.takeAll();
    else this.#takePromising();
  }

  /** The second half. */
  compare(job: Job): void {
    const { shortlist } = this;
    for (let n = 0; n < shortlist.count; n++) shortlist.costs[n] = this.#cost(shortlist.backendAt(n), job);
    shortlist.sort();
  }

  /** What placing it there would cost now, and what of its prompt that backend is believed to hold. */
  appraise(backend: number, job: Job): Appraisal {
    this.#know(job);
    const cost = this.#cost(backend, job);
    return { cost, terms: { ...this.#terms }, cachedTokens: this.#work.cachedTokens };
  }

  /** It goes there. The caller ends the charge. */
  book(backend: number, job: Job): Charge {
    this.#know(job);
    this.#cost(backend, job);
    const cachedTokens = Math.round(this.#work.cachedTokens);
    const promptTokens = Math.round(job.promptTokens);
    const slowness = this.loads.slownessAt(backend);
    const uncachedTokens = Math.max(1, promptTokens - cachedTokens);
    const heldTokens = Math.round(tokensIn(this.#matches.longest, job));
    const ttftMs = this.#terms.ttft * 1000;
    const aheadMs = (this.#terms.wait + this.#terms.slots) * 1000;
    const foreseen = { ttftMs, aheadMs, promptTokens, cachedTokens, heldTokens, uncachedTokens, slowness };
    const booking = new Booking(this.#ledger, backend, foreseen);
    // Nobody sees the first token of an answer that comes in one piece.
    if (!job.stream) this.#due.add(this.#clock.now() + ttftMs, booking);
    this.#heavy.note(job.print, this.#heavyShare);
    this.index.insert(job.print, backend);
    if (this.#settings.prefix) this.loads.fill(backend, uncachedTokens + job.answerTokens);
    this.#outbox.placed(job.print, backend);
    this.#known = undefined;
    return booking;
  }

  /** For peers; `all`: whatever has changed since or not. */
  outgoing(how: { readonly all: boolean }): Message {
    this.#due.runUntil(this.#clock.now());
    return this.#outbox.take(this.loads, how);
  }

  /** From a peer, with backends by the indexes that they have here. */
  incoming(peer: string, { loads, prefixes }: Message): void {
    this.peers.hear(peer);
    for (const { backend, ...load } of loads) this.peers.set(peer, backend, load);
    this.loads.asOf(this.#clock.now());
    for (const prefix of prefixes) this.loads.fill(prefix.backend, this.index.insertSome(prefix) * chunkTokens);
    this.#known = undefined;
  }

  /** Brings what is known up to now, and who has seen the beginning of this prompt. */
  #know(job: Job): void {
    const nowMs = this.#clock.now();
    this.#due.runUntil(nowMs);
    this.loads.asOf(nowMs);
    if (this.#known === job) return;
    this.index.match(job.print, this.#matches);
    this.#home = -1;
    this.#known = job;
  }

  #goHome(backends: Int32Array, count: number, job: Job): void {
    const point = job.session === 0 ? this.#heavy.tellingPoint(job.print, this.#heavyShare) : -1;
    const key = point === -1 ? job.session : (job.print.low[point] ?? 0);
    if (key === 0) return;
    const { id, of } = this.loads;
    this.#homes.find(key, { backends, count }, { id, weight: of.weight });
    this.shortlist.takeAt(this.#homes.first);
    this.shortlist.takeAt(this.#homes.second);
    this.#home = backends[this.#homes.first] ?? -1;
  }

  #takePromising(): void {
    const { longest } = this.#matches;
    let taken = 0;
    for (let n = 0; n < this.#matches.count && taken < mostHolders; n++, taken++)
      if ((this.#matches.bytes[n] ?? 0) >= longest * worthComparing)
        this.shortlist.take(this.#matches.backends[n] ?? 0);
    this.shortlist.takeSome();
  }

  #cost(backend: number, job: Job): number {
    const work = this.#work;
    work.promptTokens = job.promptTokens;
    work.answerTokens = job.answerTokens;
    work.cachedTokens = this.#cachedTokens(backend, job);
    return costOf(this.loads, backend, work, this.#weights, this.#terms);
  }

  #cachedTokens(backend: number, job: Job): number {
    const bytes = this.#matches.bytesOf(backend);
    const home = this.cutOff && backend === this.#home ? trustInHomes * job.knownBytes : 0;
    return tokensIn(Math.max(bytes, home), job);
  }
}

/** In the first bytes of a prompt and what stands before it; never all, for its last token has to be computed. */
function tokensIn(bytes: number, { print, promptTokens }: Job): number {
  if (bytes === 0) return 0;
  const part = (print.leadBytes + bytes) / (print.leadBytes + print.bytes);
  return Math.max(0, Math.min(promptTokens - 1, promptTokens * part));
}
