import { expect, it } from 'vitest'
import { bytesPerOperation } from './allocation.ts'
import { datagram } from './datagram.ts'

it('counts the bytes of a datagram, which cannot be made without allocating it', async () => {
  const cases = await datagram.cases()
  const encode = cases.find(({ name }) => name === 'encode 1150 B')!
  // The compiler settles first.
  for (let i = 0; i < 100; i++) encode.run()
  const bytes = await bytesPerOperation(encode, 1000)
  expect(bytes).toBeGreaterThan(1150)
  expect(bytes).toBeLessThan(3000)
})
