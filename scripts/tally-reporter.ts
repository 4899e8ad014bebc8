import type { Reporter, TestCase } from 'vitest/node'

/** Closes a test run with one plain line, `N passed, N failed`, that people and CI can read. */
export default class TallyReporter implements Reporter {
  private readonly seen = new Map<string, TestCase>()

  onTestCaseResult(testCase: TestCase): void {
    this.seen.set(testCase.id, testCase)
  }

  onTestRunEnd(_modules: unknown, errors: readonly unknown[]): void {
    let passed = 0
    let failed = errors.length
    let skipped = 0
    for (const testCase of this.seen.values()) {
      const { state } = testCase.result()
      if (state === 'passed') passed++
      else if (state === 'failed') failed++
      else skipped++
    }
    const tail = skipped > 0 ? `, ${skipped} skipped` : ''
    process.stdout.write(`\n${passed} passed, ${failed} failed${tail}\n`)
  }
}
