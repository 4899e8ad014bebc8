import { describe, expect, it } from 'vitest'
import { bytesPerOperation } from './allocation.ts'
import { forward } from './forward.ts'

describe('forward', () => {
  it('forwards in every case what it says', async () => {
    for (const each of await forward.cases()) expect(each.run(), each.name).toBe(each.operations)
  })

  it('allocates as much for a large payload as for a small one', async () => {
    const cases = await forward.cases()
    const bytes = async (name: string) => {
      const found = cases.find((each) => each.name === name)!
      // The compiler settles first.
      for (let i = 0; i < 100; i++) found.run()
      return bytesPerOperation(found, 1000)
    }
    const small = await bytes('100 B on an open stream to 100')
    const large = await bytes('10000 B on an open stream to 100')
    expect(small).not.toBeNull()
    expect(large).not.toBeNull()
    expect(Math.abs(large! - small!)).toBeLessThan(100)
  })
})
