// The boards as they are shipped: generated, importable anywhere, and complete.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { callersOwn } from '../../../grafana/queries.ts';
import { documents, root, rulesFile } from '../../../grafana/documents.ts';
import { errorTable } from '../../../src/errors.ts';
import { panelsOf, readBoards } from '../../support/boards.ts';

const boards = readBoards();
const panels = boards.flatMap(panelsOf);
const queried = panels.filter(({ type }) => type !== 'text');
const exprs = queried.flatMap(({ targets }) => targets);

describe('what is generated', () => {
  it.each([...documents().keys()])('%s is as `npm run docs:boards` writes it', (path) => {
    expect(readFileSync(join(root, path), 'utf8')).toBe(documents().get(path));
  });

  it('is all there is', () => {
    const shipped = readdirSync(join(root, 'grafana/dashboards')).map((name) => `grafana/dashboards/${name}`);
    expect(shipped.filter((path) => !documents().has(path))).toEqual([]);
  });
});

describe('the boards', () => {
  it('are four with 38 panels, each with a name, words about it and a unit', () => {
    expect(boards.map(({ uid }) => uid).toSorted()).toEqual([
      'switchyard-backends',
      'switchyard-internals',
      'switchyard-overview',
      'switchyard-routing',
    ]);
    expect(queried).toHaveLength(38);
    const bare = queried.filter(({ description, fieldConfig }) => description === '' || !fieldConfig?.defaults.unit);
    expect(bare).toEqual([]);
    for (const board of boards) {
      const titles = panelsOf(board).map(({ title }) => title);
      expect(titles).toEqual([...new Set(titles)]);
    }
  });

  it('say what to do, and lead to each other', () => {
    for (const board of boards) {
      expect(panelsOf(board).at(-1)).toMatchObject({ type: 'text', title: 'What to do' });
      expect(board.links).toMatchObject([{ type: 'dashboards', tags: board.tags, includeVars: true, keepTime: true }]);
      expect(board.links[0]).not.toHaveProperty('placement');
    }
  });

  it('fill each row to its end without overlapping', () => {
    for (const board of boards) {
      const cells = panelsOf(board).flatMap(({ gridPos: { x, y, w, h } }) =>
        Array.from({ length: w * h }, (_, n) => `${x + (n % w)},${y + Math.floor(n / w)}`),
      );
      expect(cells).toHaveLength(new Set(cells).size);
      expect(cells.length % 24).toBe(0);
    }
  });

  it('ask the data source that is chosen, which is a variable and no input', () => {
    for (const board of boards) {
      expect(board.templating.list.map(({ name }) => name)).toEqual(['datasource', 'instance', 'model', 'backend']);
      expect(JSON.stringify(board)).not.toContain('__inputs');
    }
    const sources = queried.flatMap(({ datasource, targets }) => [datasource, ...targets.map((one) => one.datasource)]);
    expect([...new Set(sources.map((source) => JSON.stringify(source)))]).toEqual([
      '{"type":"prometheus","uid":"${datasource}"}',
    ]);
  });

  it('ask only for the routers that are chosen, at rates over the interval that fits', () => {
    for (const { expr } of exprs) {
      const selectors = expr.match(/\{[^}]*\}/g) ?? [];
      expect(selectors).not.toEqual([]);
      expect(selectors.filter((selector) => !selector.includes('instance=~"$instance"'))).toEqual([]);
      const windows = [...expr.matchAll(/\[([^\]]*)\]/g)].map(([, window]) => window);
      expect(windows.filter((window) => window !== '$__rate_interval' && window !== '$__range')).toEqual([]);
    }
  });

  it('have the data source and the path that are provisioned', () => {
    const read = (path: string): unknown => parse(readFileSync(join(root, 'grafana/provisioning', path), 'utf8'));
    expect(read('datasources/prometheus.yaml')).toMatchObject({
      apiVersion: 1,
      datasources: [{ uid: 'switchyard-prometheus', type: 'prometheus', isDefault: true }],
    });
    expect(read('dashboards/switchyard.yaml')).toMatchObject({
      apiVersion: 1,
      providers: [{ type: 'file', options: { path: '/etc/grafana/dashboards' } }],
    });
  });
});

describe('the success ratio', () => {
  it('leaves out what the table of errors calls the fault of the caller, and prompts that a backend refused', () => {
    const rows = Object.values(errorTable);
    const own = new Set<string>(rows.filter(({ source }) => source === 'caller').map(({ type }) => type));
    expect(callersOwn.split('|').toSorted()).toEqual([...own, 'backend_rejected'].toSorted());
  });

  it('is the one by which alerts go', () => {
    const rules = readFileSync(join(root, rulesFile), 'utf8');
    expect(rules.split(`outcome!~"ok|${callersOwn}"`)).toHaveLength(2);
    expect(rules.split(`outcome!~"${callersOwn}"`)).toHaveLength(2);
  });
});
