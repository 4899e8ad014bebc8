import { describe, expect, it } from 'vitest'
import { bytesPerOperation } from './allocation.ts'
import { publisher } from './publisher.ts'

describe('publisher', () => {
  it('is policed, metered and heard without an allocation an object', async () => {
    for (const subject of await publisher.cases()) {
      // The compiler settles first.
      for (let i = 0; i < 200; i++) subject.run()
      const bytes = await bytesPerOperation(subject, 1000)
      expect(bytes, subject.name).not.toBeNull()
      // A time or rate that is kept as a number may take a box; a view of bytes would take a hundred.
      expect(bytes!, subject.name).toBeLessThan(64)
    }
  }, 30_000)
})
