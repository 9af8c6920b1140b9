// What a run was to prove, one line for each, and the count of both kinds as its last line.

export class Verdict {
  #passed = 0;
  #failed = 0;

  check(what: string, holds: boolean, detail = ''): void {
    if (holds) this.#passed++;
    else this.#failed++;
    say(`${holds ? 'pass' : 'FAIL'}  ${what}${detail === '' ? '' : `: ${detail}`}`);
  }

  /** Prints the last line; the exit code of the process. */
  conclude(): number {
    say(`${this.#passed} passed, ${this.#failed} failed`);
    return this.#failed === 0 && this.#passed > 0 ? 0 : 1;
  }
}

export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
