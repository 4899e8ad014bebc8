import { describe, expect, it } from 'vitest'
import { warmUpKeys } from './warm-up.ts'

describe('what is done before a join', () => {
  it('founds and joins a group of its own as long as it is wanted', async () => {
    let asked = 0
    await warmUpKeys('classical', () => {
      asked++
      return true
    })
    expect(asked).toBeGreaterThan(2)
  })

  it('ends between two steps once a real join begins', async () => {
    let asked = 0
    await warmUpKeys('classical', () => ++asked < 2)
    expect(asked).toBe(2)
  })
})
