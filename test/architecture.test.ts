// The rules of the tree, read off the import statements: who may import whom, one package in one place, small files.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '..');
const src = join(root, 'src');

interface Source {
  /** Below src, with slashes. */
  readonly path: string;
  readonly text: string;
  readonly lines: number;
  readonly imports: readonly { readonly from: string; readonly typeOnly: boolean }[];
}

const sources: readonly Source[] = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((path) => /\.tsx?$/.test(path))
  .map((path) => {
    const text = readFileSync(join(src, path), 'utf8');
    return {
      path: path.replaceAll('\\', '/'),
      text,
      lines: text.trimEnd().split('\n').length,
      imports: importsOf(text),
    };
  });

function importsOf(text: string): Source['imports'] {
  const statements = /^(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?'([^']+)'/gm;
  const dynamic = /\bimport\(\s*'([^']+)'/g;
  return [
    ...[...text.matchAll(statements)].map(([, type, from = '']) => ({ from, typeOnly: type !== undefined })),
    ...[...text.matchAll(dynamic)].map(([, from = '']) => ({ from, typeOnly: false })),
  ];
}

/** The part of the tree a file belongs to: its folder, or its own name at the top. */
function partOf(path: string): string {
  const [first = '', ...rest] = path.split('/');
  return rest.length === 0 ? first.replace(/\.ts$/, '') : first;
}

function targetOf(source: Source, from: string): string {
  return relative(src, resolve(dirname(join(src, source.path)), from)).replaceAll('\\', '/');
}

/** Core parts and what each may import beside itself: downward, as drawn in the README. */
const bottom = ['errors', 'clock', 'wire'];
const nouns = ['engines', 'endpoints', 'fleet'];
const middle = ['selection', 'admission', 'access'];
const core: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  clock: [],
  wire: [],
  engines: [...bottom, ...nouns],
  endpoints: [...bottom, ...nouns],
  fleet: [...bottom, ...nouns],
  selection: [...bottom, ...nouns, ...middle],
  admission: [...bottom, ...nouns, ...middle],
  access: [...bottom, ...nouns, ...middle],
  routing: [...bottom, ...nouns, ...middle],
};
const edges = [
  'config',
  'discovery',
  'http',
  'upstream',
  'redis',
  'simulated',
  'metrics',
  'pressure',
  'tracing',
  'workers',
  'log',
  'page',
];
const top = ['main', 'cli', 'service'];

/** Package → the one part that may import it. */
const homes: Readonly<Record<string, readonly string[]>> = {
  koa: ['http'],
  '@koa/router': ['http'],
  undici: ['upstream'],
  opossum: ['upstream'],
  ioredis: ['redis'],
  yaml: ['config'],
  zod: ['config'],
  'fastest-levenshtein': ['config'],
  'prom-client': ['metrics'],
  pino: ['log'],
  'pino-pretty': ['log'],
  commander: ['cli'],
  '@opentelemetry/api': ['tracing'],
  '@opentelemetry/core': ['tracing'],
  '@opentelemetry/exporter-trace-otlp-http': ['tracing'],
  '@opentelemetry/resources': ['tracing'],
  '@opentelemetry/sdk-trace': ['tracing'],
  preact: ['page'],
  uplot: ['page'],
  vite: ['page'],
};

describe('the tree', () => {
  it('has only the parts that the README names', () => {
    const known = [...Object.keys(core), ...edges, ...top];
    expect([...new Set(sources.map(({ path }) => partOf(path)))].filter((part) => !known.includes(part))).toEqual([]);
    expect(sources.length).toBeGreaterThan(50);
  });

  it('has no file above 250 lines', () => {
    expect(sources.filter(({ lines }) => lines > 250).map(({ path, lines }) => `${path}: ${lines}`)).toEqual([]);
  });

  it('opens every file with what it is for', () => {
    expect(sources.filter(({ text }) => !/^(#!.*\n)?\/\/ \S/.test(text)).map(({ path }) => path)).toEqual([]);
  });
});

describe('imports', () => {
  it('of the core go to the core only, downward', () => {
    const wrong = local().filter(
      ({ part, target }) => part in core && part !== target && !core[part]?.includes(target),
    );
    expect(wrong.map(({ text }) => text)).toEqual([]);
  });

  it('of one edge never go to another', () => {
    const wrong = local().filter(({ part, target }) => edges.includes(part) && part !== target && !(target in core));
    expect(wrong.map(({ text }) => text)).toEqual([]);
  });

  it('never go to the composition root, except from the CLI', () => {
    const wrong = local().filter(({ part, target }) => top.includes(target) && !top.includes(part));
    expect(wrong.map(({ text }) => text)).toEqual([]);
  });

  it('of a package stand in its one place', () => {
    const wrong = packages().filter(({ part, name }) => !homes[name]?.includes(part));
    expect(wrong.map(({ text }) => text)).toEqual([]);
  });

  it('of the core bring no package and no part of Node but what reckons with bytes', () => {
    const wrong = outside().filter(
      ({ part, from }) => part in core && from !== 'node:crypto' && from !== 'node:buffer',
    );
    expect(wrong.map(({ text }) => text)).toEqual([]);
  });

  it('of node:http stand in http and simulated only, apart from types', () => {
    const wrong = outside().filter(
      ({ part, from, typeOnly }) => from === 'node:http' && !typeOnly && part !== 'http' && part !== 'simulated',
    );
    expect(wrong.map(({ text }) => text)).toEqual([]);
  });

  it('of node:https stand in http only, apart from types', () => {
    const wrong = outside().filter(({ part, from, typeOnly }) => from === 'node:https' && !typeOnly && part !== 'http');
    expect(wrong.map(({ text }) => text)).toEqual([]);
  });

  it('of node:worker_threads stand in workers only', () => {
    const wrong = outside().filter(({ part, from }) => from === 'node:worker_threads' && part !== 'workers');
    expect(wrong.map(({ text }) => text)).toEqual([]);
  });

  it('make no circle', () => {
    expect(findCircle()).toEqual([]);
  });
});

describe('the core', () => {
  it('takes time and chance as parameters', () => {
    const forbidden =
      /\b(Date\.now|new Date\(|Math\.random|setTimeout|setInterval|setImmediate|performance\.|process\.|console\.)/;
    const wrong = sources.filter(
      ({ path, text }) => partOf(path) in core && path !== 'clock.ts' && forbidden.test(withoutComments(text)),
    );
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });
});

describe('every file', () => {
  it('exports by name', () => {
    expect(sources.filter(({ text }) => /^export default/m.test(text)).map(({ path }) => path)).toEqual([]);
  });

  it('has no barrel beside the tables called index.ts', () => {
    const barrels = sources.filter(
      ({ path, text }) => !path.endsWith('index.ts') && /^export (?:\*|\{[^}]*\}) from/m.test(text),
    );
    expect(barrels.map(({ path }) => path)).toEqual([]);
  });
});

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
}

function local() {
  return sources.flatMap((source) =>
    source.imports
      .filter(({ from }) => from.startsWith('.'))
      .map(({ from }) => ({
        part: partOf(source.path),
        target: partOf(targetOf(source, from)),
        text: `${source.path} → ${from}`,
      })),
  );
}

function outside() {
  return sources.flatMap((source) =>
    source.imports
      .filter(({ from }) => !from.startsWith('.'))
      .map(({ from, typeOnly }) => ({ part: partOf(source.path), from, typeOnly, text: `${source.path} → ${from}` })),
  );
}

function packages() {
  return outside()
    .filter(({ from }) => !from.startsWith('node:'))
    .map((one) => ({ ...one, name: one.from.split('/', one.from.startsWith('@') ? 2 : 1).join('/') }));
}

/** Only imports that exist at run time: two files may name each other's types. */
function findCircle(): readonly string[] {
  const graph = new Map(
    sources.map((source) => [
      source.path,
      source.imports
        .filter(({ from, typeOnly }) => from.startsWith('.') && !typeOnly)
        .map(({ from }) => targetOf(source, from)),
    ]),
  );
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): readonly string[] => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
    if (done.has(path)) return [];
    for (const next of graph.get(path) ?? []) {
      const circle = visit(next, [...trail, path]);
      if (circle.length > 0) return circle;
    }
    done.add(path);
    return [];
  };
  for (const path of graph.keys()) {
    const circle = visit(path, []);
    if (circle.length > 0) return circle;
  }
  return [];
}
