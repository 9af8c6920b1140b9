// Loaded into the router's process by `--import`: on SIGUSR2 it collects garbage and writes down what is left and held.
import { renameSync, writeFileSync } from 'node:fs';

const path = process.env['SOAK_VITALS'];

process.on('SIGUSR2', () => {
  if (path === undefined) return;
  for (let n = 0; n < 3; n++) globalThis.gc?.();
  const held: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) held[kind] = (held[kind] ?? 0) + 1;
  // Whole or not at all.
  writeFileSync(`${path}.new`, JSON.stringify({ heapBytes: process.memoryUsage().heapUsed, held }));
  renameSync(`${path}.new`, path);
});
