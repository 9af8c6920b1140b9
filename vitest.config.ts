import { defineConfig } from 'vitest/config';

// One project per kind of test (see "Tests" in the README). Numbers belong in benchmarks, so no test here is timed;
// the timeouts only end a test that hangs.
const timeoutsMs = {
  unit: 20_000,
  contract: 20_000,
  integration: 20_000,
  clients: 30_000,
  system: 60_000,
  faults: 60_000,
};
const withRedis = ['contract', 'integration', 'system', 'faults'];

export default defineConfig({
  test: {
    // Most tests wait for something most of the time.
    maxWorkers: 3,
    projects: [
      ...Object.entries(timeoutsMs).map(([name, testTimeout]) => ({
        test: {
          name,
          include: [`test/${name}/**/*.test.ts`, ...(name === 'unit' ? ['test/architecture.test.ts'] : [])],
          globalSetup: withRedis.includes(name) ? ['test/support/redis/provision.ts'] : [],
          testTimeout,
          hookTimeout: testTimeout,
        },
      })),
      {
        test: {
          name: 'simulation',
          include: ['test/simulation/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'boards',
          include: ['test/boards/**/*.test.ts'],
          globalSetup: ['test/support/redis/provision.ts', 'test/support/prometheus/provision.ts'],
          testTimeout: 60_000,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'real',
          include: ['test/real/**/*.test.ts'],
          globalSetup: ['test/real/install.ts'],
          testTimeout: 120_000,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          globalSetup: ['test/support/chromium/provision.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'deploy',
          include: ['test/deploy/**/*.test.ts'],
          globalSetup: ['test/deploy/provision.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
