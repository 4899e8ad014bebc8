import { defineConfig } from 'vitest/config'

// Two kinds of test: `unit` beside the code, `e2e` in the `test/` folders (they start a relay, a browser or both).
export default defineConfig({
  test: {
    reporters: ['default', './scripts/tally-reporter.ts'],
    projects: [
      {
        test: {
          name: 'unit',
          // Only to end a test that hangs: a busy machine may be ten times slower than a quiet one.
          testTimeout: 30_000,
          include: ['{moq,sframe,sfu,client-lib,bench,deploy,scripts}/**/*.test.ts'],
          exclude: ['**/test/**', '**/node_modules/**'],
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['{test,*/test,*/*/test}/**/*.test.ts'],
          exclude: ['**/node_modules/**'],
          globalSetup: ['./test/support/chromium-setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
