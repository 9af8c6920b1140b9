import { defineConfig } from 'vitest/config';

// One project per kind of test (see "Tests" in the README). Numbers belong in benchmarks, so no test here is timed;
// the timeouts only end a test that hangs.
const kinds = { unit: 5_000, contract: 10_000, integration: 20_000, clients: 30_000, system: 60_000, real: 600_000 };

export default defineConfig({
  test: {
    projects: Object.entries(kinds).map(([name, testTimeout]) => ({
      test: {
        name,
        include: name === 'unit' ? ['test/unit/**/*.test.ts', 'test/architecture.test.ts'] : [`test/${name}/**/*.test.ts`],
        testTimeout,
        hookTimeout: testTimeout,
      },
    })),
  },
});
