// Pages shared by prefix, as vLLM and SGLang keep them: a page computed once is found by its chain, pinned while somebody runs
// on it, and goes by least recent use afterwards, the deep ones of a prompt first. Pages that nobody can share are only counted.
import type { Hold, Memory, Wanted } from './memory.ts';

interface Page {
  readonly chain: number;
  pins: number;
  older: Page | undefined;
  newer: Page | undefined;
}

export class PagedMemory implements Memory {
  readonly #pageTokens: number;
  readonly #pages: number;
  readonly #shared = new Map<number, Page>();
  #free: number;
  /** Unpinned pages, from the least recently used on. */
  #oldest: Page | undefined;
  #newest: Page | undefined;
  #idle = 0;

  constructor({ kvTokens, pageTokens }: { readonly kvTokens: number; readonly pageTokens: number }) {
    this.#pageTokens = pageTokens;
    this.#pages = Math.floor(kvTokens / pageTokens);
    this.#free = this.#pages;
  }

  get use(): number {
    return 1 - (this.#free + this.#idle) / this.#pages;
  }

  fits({ input, output }: Wanted): boolean {
    return Math.ceil(input / this.#pageTokens) + Math.ceil(output / this.#pageTokens) <= this.#pages;
  }

  cachedTokens(wanted: Wanted): number {
    return this.#matched(wanted) * this.#pageTokens;
  }

  take(wanted: Wanted, generated: number): Hold | undefined {
    const matched = this.#matched(wanted);
    const pinned = wanted.chain.slice(0, matched);
    for (const chain of pinned) this.#pin(chain);
    const own = Math.ceil((wanted.input + generated) / this.#pageTokens) - matched;
    const ahead = Math.ceil((wanted.output - generated) / this.#pageTokens);
    if (own + ahead > this.#free + this.#idle || !this.#claim(own)) {
      for (const chain of pinned.toReversed()) this.#unpin(chain);
      return undefined;
    }
    return this.#hold(wanted, pinned, own);
  }

  clear(): void {
    this.#shared.clear();
    this.#oldest = this.#newest = undefined;
    this.#idle = 0;
    this.#free = this.#pages;
  }

  #hold({ chain }: Wanted, pinned: number[], own: number): Hold {
    const cachedPages = pinned.length;
    let published = cachedPages;
    let pages = cachedPages + own;
    let unshared = own;
    return {
      cachedTokens: cachedPages * this.#pageTokens,
      computed: (tokens) => {
        const whole = Math.min(chain.length, Math.floor(tokens / this.#pageTokens));
        for (; published < whole; published++) {
          const name = chain[published];
          // Computed twice at the same time: the first one is the one that is found.
          if (name === undefined || this.#shared.has(name)) continue;
          this.#shared.set(name, { chain: name, pins: 1, older: undefined, newer: undefined });
          pinned.push(name);
          unshared--;
        }
      },
      grow: (tokens) => {
        if (tokens <= pages * this.#pageTokens) return true;
        if (!this.#claim(1)) return false;
        pages++;
        unshared++;
        return true;
      },
      release: () => {
        this.#free += unshared;
        for (const name of pinned.toReversed()) this.#unpin(name);
      },
    };
  }

  /** Pages of the longest cached prefix; at least one token is always computed. */
  #matched({ chain, input }: Wanted): number {
    const most = Math.min(chain.length, Math.floor((input - 1) / this.#pageTokens));
    let matched = 0;
    while (matched < most && this.#shared.has(chain[matched] ?? -1)) matched++;
    return matched;
  }

  #claim(pages: number): boolean {
    if (pages > this.#free + this.#idle) return false;
    while (this.#free < pages && this.#oldest !== undefined) {
      this.#shared.delete(this.#oldest.chain);
      this.#unlink(this.#oldest);
      this.#free++;
    }
    this.#free -= pages;
    return true;
  }

  #pin(chain: number): void {
    const page = this.#shared.get(chain);
    if (page === undefined) return;
    if (page.pins++ === 0) this.#unlink(page);
  }

  #unpin(chain: number): void {
    const page = this.#shared.get(chain);
    if (page === undefined || --page.pins > 0) return;
    page.older = this.#newest;
    page.newer = undefined;
    if (this.#newest === undefined) this.#oldest = page;
    else this.#newest.newer = page;
    this.#newest = page;
    this.#idle++;
  }

  #unlink(page: Page): void {
    if (page.older === undefined) this.#oldest = page.newer;
    else page.older.newer = page.newer;
    if (page.newer === undefined) this.#newest = page.older;
    else page.newer.older = page.older;
    page.older = page.newer = undefined;
    this.#idle--;
  }
}
