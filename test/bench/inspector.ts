// The heap of a running Node.js process, by its inspector: what is left after a full collection.
const waitMs = 60_000;

interface Answer {
  readonly id?: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

export class Inspector {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #asked = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => {
      const answer: Answer = JSON.parse(String(data));
      if (answer.id !== undefined) this.#waiting.get(answer.id)?.(answer);
    });
  }

  /** `output`: what the process has written to its standard error. */
  static async open(output: string): Promise<Inspector> {
    const [url] = /ws:\/\/127\.0\.0\.1:\d+\/\S+/.exec(output) ?? [];
    if (url === undefined) throw new Error('it was not started with --inspect');
    const socket = new WebSocket(url);
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve, { once: true });
      socket.addEventListener('error', () => reject(new Error(`${url} can't be reached`)), { once: true });
    });
    return new Inspector(socket);
  }

  /** Bytes. */
  async heapAfterCollection(): Promise<number> {
    // What the first one finalises, the second one frees.
    for (let n = 0; n < 2; n++) await this.#ask('HeapProfiler.collectGarbage');
    const usage = await this.#ask('Runtime.getHeapUsage');
    if (typeof usage !== 'object' || usage === null || !('usedSize' in usage)) throw new Error('no heap usage');
    return Number(usage.usedSize);
  }

  close(): void {
    this.#socket.close();
  }

  #ask(method: string): Promise<unknown> {
    const id = ++this.#asked;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const timer = setTimeout(() => reject(new Error(`${method}: no answer`)), waitMs);
    this.#waiting.set(id, ({ result, error }) => {
      clearTimeout(timer);
      this.#waiting.delete(id);
      if (error === undefined) resolve(result);
      else reject(new Error(`${method}: ${error.message}`));
    });
    this.#socket.send(JSON.stringify({ id, method }));
    return promise;
  }
}
