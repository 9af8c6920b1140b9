import { describe, expect, it } from 'vitest';
import { fleetFileText } from '../../../src/cli/init-file.ts';
import { formatFleetFile } from '../../../src/config/format.ts';
import { valid } from '../config/support.ts';

const found = (host: string, port: number, engine: string, models: readonly string[] = ['m']) => ({
  url: `http://${host}:${port}`,
  host,
  port,
  engine,
  models,
});
const plan = { listenPort: 8000, schema: './fleet.schema.json', tokenFile: 'admin.token' };
const given = { files: { 'admin.token': 'a-token' } };

describe('the fleet file of init', () => {
  it('is one without a warning, laid out as fmt does, whatever was found', () => {
    const many = Array.from({ length: 6 }, (_, n) => `model-${n}`);
    for (const [boxes, locked] of [
      [[], []],
      [[found('127.0.0.1', 11434, 'ollama', many), found('[::1]', 8001, 'vllm', [])], []],
      [[found('gpu.lab', 9001, 'simulated')], [found('10.0.0.9', 30000, 'auto')]],
    ]) {
      const text = fleetFileText({ ...plan, found: boxes ?? [], locked: locked ?? [] });
      expect(valid(text, given).warnings).toEqual([]);
      expect(formatFleetFile(text, 'fleet.yaml')).toEqual({ text });
    }
  });

  it('has a simulated backend where nothing was found, and says so', () => {
    const text = fleetFileText({ ...plan, found: [], locked: [] });
    expect(text).toContain('# No inference server was found');
    expect(valid(text, given).fleet.backends.map(({ engine }) => engine)).toEqual(['simulated']);
  });

  it('names backends by where they are', () => {
    const boxes = [found('127.0.0.1', 8001, 'vllm'), found('10.0.0.12', 8000, 'vllm'), found('[fd00::1]', 80, 'tgi')];
    const { fleet } = valid(fleetFileText({ ...plan, found: boxes, locked: [] }), given);
    expect(fleet.backends.map(({ name }) => name)).toEqual(['local-8001', '10.0.0.12-8000', 'fd00--1-80']);
  });
});
