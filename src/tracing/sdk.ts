// The OpenTelemetry SDK, loaded only where the fleet file names a collector. It is given nothing global: what else runs in
// this process is not its business.
import { defaultTextMapGetter, defaultTextMapSetter, diag, DiagLogLevel, ROOT_CONTEXT } from '@opentelemetry/api';
import { type ExportResult, ExportResultCode, W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  type ReadableSpan,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { TracingSettings } from '../fleet/fleet.ts';
import type { TracingParts, Wire } from './open.ts';

/** A collector that hangs must hold up neither the next batch nor the stop of the router. */
const exportTimeoutMs = 5_000;
/** Beyond these spans are dropped: a router without its collector must not grow. */
const mostHeld = 4_096;
const batch = { maxQueueSize: mostHeld, scheduledDelayMillis: 2_000, exportTimeoutMillis: exportTimeoutMs };

export function openSdk({ url, sampleRatio }: TracingSettings, { version, changed }: TracingParts) {
  // Its own messages quote what a collector has answered.
  diag.setLogger(silent, { logLevel: DiagLogLevel.NONE, suppressOverrideMessage: true });
  const ours = resourceFromAttributes({ 'service.name': 'switchyard', 'service.version': version });
  const provider = new TracerProvider({
    // OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES win.
    resource: ours.merge(detectResources({ detectors: [envDetector] })),
    // A caller that is traced decides for its own requests.
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(sampleRatio) }),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: telling(new OTLPTraceExporter({ url, timeoutMillis: exportTimeoutMs }), changed),
        ...batch,
      }),
    ],
  });
  return {
    tracer: provider.getTracer('switchyard', version),
    wire: w3c,
    // What could not be sent is lost, and was told.
    close: () => provider.shutdown().catch(() => {}),
  };
}

const w3cPropagator = new W3CTraceContextPropagator();

const w3c: Wire = {
  read: (headers) => w3cPropagator.extract(ROOT_CONTEXT, headers, defaultTextMapGetter),
  write(context) {
    const carrier: Record<string, string> = {};
    w3cPropagator.inject(context, carrier, defaultTextMapSetter);
    return Object.entries(carrier);
  },
};

function telling(exporter: SpanExporter, changed: TracingParts['changed']): SpanExporter {
  let takes = true;
  return {
    export(spans: ReadableSpan[], done: (result: ExportResult) => void) {
      exporter.export(spans, (result) => {
        const before = takes;
        takes = result.code !== ExportResultCode.FAILED;
        if (takes !== before) changed(takes);
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
  };
}

const ignore = () => {};
const silent = { error: ignore, warn: ignore, info: ignore, debug: ignore, verbose: ignore };
