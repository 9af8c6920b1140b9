// How fast a waiting room is served, for those who ask how long they will have to wait.

/** How far apart those who waited were served. */
export class Pace {
  gapMs = 0;
  #lastMs: number | undefined = undefined;

  served(nowMs: number): void {
    if (this.#lastMs !== undefined) this.gapMs += (nowMs - this.#lastMs - this.gapMs) * 0.2;
    this.#lastMs = nowMs;
  }
}
