import { describe, expect, it } from 'vitest';
import { said, valid } from './support.ts';

const file = (metrics: string) => `version: 1\nbackends: [{ url: "http://h:1" }]\n${metrics}`;

describe('the settings of metrics', () => {
  it('tell everything apart that is ours, unless said', () => {
    const all = { tenants: true, genaiNames: false, maxModels: 200 };
    expect(valid(file('')).fleet.metrics).toEqual(all);
    expect(valid(file('metrics: { genai_names: true, max_models: 10 }\n')).fleet.metrics).toEqual({
      ...all,
      genaiNames: true,
      maxModels: 10,
    });
  });

  it('have room for one model at least', () => {
    expect(said(file('metrics: { max_models: 0 }\n'))).toEqual([expect.stringContaining('metrics.max_models')]);
  });
});
