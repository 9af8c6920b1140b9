// One request as spans: the whole of it from the caller to its last token, its wait, and every attempt on a backend. Names are
// those of the HTTP and GenAI conventions where these have one, else our own. Never a prompt, an answer or a key.
import {
  type Attributes,
  type Context,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace as api,
  type Tracer,
} from '@opentelemetry/api';
import type { Endpoint } from '../endpoints/endpoint.ts';
import type { Outcome } from '../errors.ts';
import type { AttemptAt, AttemptTrace, ExchangeSettled, HeaderList, Trace } from '../routing/ports.ts';
import type { Wire } from './open.ts';

export interface ExchangeTraceParts {
  readonly tracer: Tracer;
  readonly wire: Wire;
  /** What the caller said about where its request belongs. */
  readonly parent: Context;
  readonly endpoint: Pick<Endpoint, 'name' | 'path'>;
}

/** Words of the GenAI conventions. */
const operations = { 'chat-completions': 'chat', completions: 'text_completion', embeddings: 'embeddings' } as const;

export class ExchangeTrace implements Trace {
  readonly #parts: ExchangeTraceParts;
  readonly #span: Span;
  readonly #context: Context;
  #isOver = false;

  constructor(parts: ExchangeTraceParts) {
    const { tracer, parent, endpoint } = parts;
    const attributes = {
      'http.request.method': 'POST',
      'http.route': endpoint.path,
      'url.path': endpoint.path,
      'gen_ai.operation.name': operations[endpoint.name],
    };
    this.#parts = parts;
    this.#span = tracer.startSpan(`POST ${endpoint.path}`, { kind: SpanKind.SERVER, attributes }, parent);
    this.#context = api.setSpan(parent, this.#span);
  }

  get id(): string {
    return this.#span.spanContext().traceId;
  }

  waited(ms: number): void {
    const endTime = Date.now();
    this.#parts.tracer.startSpan('wait for a slot', { startTime: endTime - ms }, this.#context).end(endTime);
  }

  attempt({ backend, model, number }: AttemptAt): AttemptTrace {
    const { tracer, wire, endpoint } = this.#parts;
    const operation = operations[endpoint.name];
    const attributes: Attributes = {
      'gen_ai.operation.name': operation,
      'gen_ai.request.model': model,
      'switchyard.backend': backend.name,
      'switchyard.attempt': number,
      ...addressOf(backend.url),
    };
    const span = tracer.startSpan(`${operation} ${model}`, { kind: SpanKind.CLIENT, attributes }, this.#context);
    return new SpanOfAttempt(span, wire.write(api.setSpan(this.#context, span)));
  }

  ended(event: ExchangeSettled): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#span.setAttributes(attributesOf(event));
    if (event.error !== undefined && event.error.row.source !== 'caller')
      this.#span.setStatus({ code: SpanStatusCode.ERROR });
    this.#span.end();
  }
}

class SpanOfAttempt implements AttemptTrace {
  readonly headers: HeaderList;
  readonly #span: Span;
  #hasBegun = false;

  constructor(span: Span, headers: HeaderList) {
    this.headers = headers;
    this.#span = span;
  }

  connected(): void {
    this.#span.addEvent('connected');
  }

  firstToken(): void {
    if (!this.#hasBegun) this.#span.addEvent('first token');
    this.#hasBegun = true;
  }

  ended(outcome: Outcome): void {
    if (outcome !== 'ok') this.#span.setAttribute('error.type', outcome).setStatus({ code: SpanStatusCode.ERROR });
    this.#span.end();
  }
}

function addressOf(url: string | undefined): Attributes {
  if (url === undefined) return {};
  const { hostname, port, protocol } = new URL(url);
  return { 'server.address': hostname, 'server.port': Number(port || (protocol === 'https:' ? 443 : 80)) };
}

/** What is undefined is left out. */
function attributesOf(event: ExchangeSettled): Attributes {
  const { usage, outcome, standIn } = event;
  return {
    'http.response.status_code': event.status,
    'error.type': outcome === 'ok' ? undefined : outcome,
    'gen_ai.request.model': event.model,
    'gen_ai.response.model': standIn?.model ?? event.model,
    'gen_ai.usage.input_tokens': usage?.inputTokens,
    'gen_ai.usage.output_tokens': usage?.outputTokens,
    'switchyard.request_id': event.requestId,
    'switchyard.tenant': event.tenant,
    'switchyard.backend': event.backend,
    'switchyard.attempts': event.attempts,
    'switchyard.stream': event.stream,
    'switchyard.fallback_cause': standIn?.cause,
    'switchyard.continued': event.continued,
  };
}
