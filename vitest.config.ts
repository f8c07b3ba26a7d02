import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts', 'test/**/*.test.tsx'],
    // Simulations of hours take seconds on a quiet machine; a busy one must not turn them red.
    testTimeout: 90_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
    // Builds that a test patches are run as they are.
    server: { deps: { external: [/\/\.wakewell\//] } },
  },
});
