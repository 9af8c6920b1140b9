// One log line per exchange and per change of state, to stderr. Never prompts, keys, or what a backend said.
import { type Logger, pino, type DestinationStream } from 'pino';
import pretty from 'pino-pretty';
import type { LoggingSettings } from './fleet/fleet.ts';
import type { ExchangeSettled } from './routing/ports.ts';
import { inHundredths } from './routing/timings.ts';

export type { Logger };

export function createLog({ level, format }: LoggingSettings, isTerminal: boolean): Logger {
  const readable = format === 'pretty' || (format === 'auto' && isTerminal);
  // Synchronous in both cases: a worker transport loses the last lines of a process that dies.
  const stream: DestinationStream = readable
    ? pretty({ destination: 2, sync: true, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss.l' })
    : new GatheredLines(pino.destination({ dest: 2, sync: true }));
  return pino({ level, timestamp: pino.stdTimeFunctions.isoTime }, stream);
}

/** What a pipe takes in one piece (PIPE_BUF), so that lines of several writers never mix. */
const mostBytes = 4_096;
/** How long a line of the access log may wait for others. */
const mostMs = 100;
const warn = 40;
const needsMetadata: unique symbol = Symbol.for('pino.metadata');

/**
 * One write for several lines of the access log: they are many, and each write costs more than the line. Whatever else is to
 * be told is told at once, behind what was waiting. A process that is killed loses the access lines of a tenth of a second.
 */
class GatheredLines implements DestinationStream {
  /** Asks pino to say what each line is about. */
  readonly [needsMetadata] = true;
  lastLevel = 0;
  lastMsg: string | undefined = undefined;
  readonly #destination: DestinationStream;
  #waiting = '';
  #timer: NodeJS.Timeout | undefined = undefined;
  readonly #flush = () => {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const lines = this.#waiting;
    this.#waiting = '';
    if (lines !== '') this.#destination.write(lines);
  };

  constructor(destination: DestinationStream) {
    this.#destination = destination;
    process.on('exit', this.#flush);
  }

  write(line: string): void {
    if (this.#waiting.length + line.length > mostBytes) this.#flush();
    this.#waiting += line;
    if (this.lastLevel >= warn || this.lastMsg !== requestLine) this.#flush();
    else this.#timer ??= setTimeout(this.#flush, mostMs).unref();
  }
}

const requestLine = 'request';

/** The access log: the same words as metrics and response headers. */
export function logExchange(log: Logger, access: LoggingSettings['access'], event: ExchangeSettled): void {
  const { error, usage } = event;
  // A bug of ours is told whatever the access log is to have.
  const isWanted = access === 'all' || (access === 'errors' && error !== undefined) || error?.code === 'internal';
  if (!isWanted) return;
  const line = {
    request_id: event.requestId,
    trace_id: event.traceId,
    endpoint: event.endpoint,
    tenant: event.tenant,
    model: event.model,
    fallback_model: event.standIn?.model,
    fallback_cause: event.standIn?.cause,
    continued: event.continued,
    backend: event.backend,
    attempts: event.attempts,
    outcome: event.outcome,
    status: event.status,
    stream: event.stream,
    duration_ms: Math.round(event.durationMs),
    limit: error?.details.limit,
    limits_degraded: event.limitsDegraded || undefined,
    queue_ms: event.queuedMs > 0 ? Math.round(event.queuedMs) : undefined,
    route_ms: inHundredths(event.routeMs),
    connect_ms: inHundredths(event.connectMs),
    ttft_ms: event.ttftMs === undefined ? undefined : Math.round(event.ttftMs),
    input_tokens: usage?.inputTokens,
    output_tokens: usage?.outputTokens,
    // Only bugs of ours have a cause worth its text: every other message is on its way to the caller, and may name a model.
    cause: error?.code === 'internal' ? describeCause(error.cause) : undefined,
  };
  if (error?.code === 'internal') log.error(line, 'request failed inside the router');
  else if (error !== undefined && error.row.source !== 'caller') log.warn(line, requestLine);
  else log.info(line, requestLine);
}

/** Where it happened, without the message: errors of parsers quote what they were given. */
export function describeCause(cause: unknown): string {
  if (!(cause instanceof Error)) return typeof cause;
  const frames = (cause.stack ?? '').split('\n').filter((line) => line.startsWith('    at '));
  return [cause.name, ...frames].join('\n');
}
