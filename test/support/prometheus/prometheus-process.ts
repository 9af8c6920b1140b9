// A Prometheus as a child process, on a port of its own and with a directory of its own, and its HTTP API.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { guard } from '../redis/guard.ts';

/** A number as text, with the time it is of. */
type Sample = readonly [seconds: number, value: string];

export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly samples: readonly Sample[];
}

export interface RuleState {
  readonly name: string;
  readonly health: string;
  readonly lastError?: string;
}

const ready = 'Server is ready to receive web requests';

export class PrometheusProcess {
  readonly #child: ChildProcess;
  readonly #dir: string;
  readonly #ended: Promise<void>;
  readonly #accepts: Promise<void>;
  #log = '';

  private constructor(binary: string, config: string) {
    this.#dir = mkdtempSync(join(tmpdir(), 'switchyard-prometheus-'));
    const file = join(this.#dir, 'prometheus.yaml');
    writeFileSync(file, config);
    const store = `--storage.tsdb.path=${join(this.#dir, 'store')}`;
    const args = [`--config.file=${file}`, store, '--web.listen-address=127.0.0.1:0'];
    const child = spawn(binary, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child = child;
    guard(child);
    const accepts = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    this.#accepts = accepts.promise;
    this.#ended = ended.promise;
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#log += text;
      if (this.#log.includes(ready)) accepts.resolve();
    });
    child.on('error', (cause) => {
      this.#log += cause.message;
    });
    child.on('close', () => {
      accepts.reject(new Error(`Prometheus ended:\n${this.#log}`));
      ended.resolve();
    });
  }

  /** Resolves when it answers. @throws Error with its log when it ends instead. */
  static async start(binary: string, config: string): Promise<PrometheusProcess> {
    const started = new PrometheusProcess(binary, config);
    try {
      await started.#accepts;
      return started;
    } catch (cause) {
      await started.dispose();
      throw cause;
    }
  }

  get url(): string {
    const [, address] = /Listening on" address=(\S+)/.exec(this.#log) ?? [];
    if (address === undefined) throw new Error(`no address in:\n${this.#log}`);
    return `http://${address}`;
  }

  /** Between two times, in Unix seconds, a value for each `stepSeconds`. @throws Error with its words when it refuses. */
  async range(query: string, from: number, to: number, stepSeconds: number): Promise<readonly Series[]> {
    const parameters = { query, start: String(from), end: String(to), step: String(stepSeconds) };
    const { result } = (await this.#ask('query_range', parameters)) as { readonly result: readonly Matrix[] };
    return result.map(({ metric, values }) => ({ metric, samples: values }));
  }

  async instant(query: string, at: number): Promise<readonly Series[]> {
    const { result } = (await this.#ask('query', { query, time: String(at) })) as {
      readonly result: readonly Vector[];
    };
    return result.map(({ metric, value }) => ({ metric, samples: [value] }));
  }

  async names(): Promise<readonly string[]> {
    return (await this.#ask('label/__name__/values', {})) as readonly string[];
  }

  /** The values of a label on the series of one metric. */
  async values(label: string, metric: string): Promise<readonly string[]> {
    return (await this.#ask(`label/${label}/values`, { 'match[]': metric })) as readonly string[];
  }

  async rules(): Promise<readonly RuleState[]> {
    const { groups } = (await this.#ask('rules', {})) as {
      readonly groups: readonly { readonly rules: readonly RuleState[] }[];
    };
    return groups.flatMap(({ rules }) => rules);
  }

  /** Its end: nothing of it is left. */
  async dispose(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
    rmSync(this.#dir, { recursive: true, force: true });
  }

  async #ask(path: string, parameters: Readonly<Record<string, string>>): Promise<unknown> {
    const reply = await fetch(`${this.url}/api/v1/${path}?${new URLSearchParams(parameters).toString()}`);
    const answer = (await reply.json()) as { readonly status: string; readonly error?: string; readonly data: unknown };
    if (answer.status !== 'success') throw new Error(`${path} ${JSON.stringify(parameters)}: ${answer.error}`);
    return answer.data;
  }
}

interface Matrix {
  readonly metric: Series['metric'];
  readonly values: readonly Sample[];
}

interface Vector {
  readonly metric: Series['metric'];
  readonly value: Sample;
}
