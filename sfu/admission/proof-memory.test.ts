import { describe, expect, it } from 'vitest'
import { ProofMemory } from './proof-memory.ts'

describe('ProofMemory', () => {
  const made = (limits = {}) => {
    const clock = { now: 0 }
    const memory = new ProofMemory({ wallClock: () => clock.now, forMs: 100, ...limits })
    return { clock, memory }
  }

  it('knows a proof of a key until its time is over, and not that of another key', () => {
    const { clock, memory } = made()
    expect(memory.take('a', '1')).toBe('new')
    expect(memory.take('a', '1')).toBe('known')
    expect(memory.take('b', '1')).toBe('new')
    clock.now = 100
    expect(memory.take('a', '1')).toBe('known')
    clock.now = 101
    expect(memory.take('a', '1')).toBe('new')
    expect(memory.size).toBe(1)
  })

  it('takes so many of one key, and others of other keys', () => {
    const { clock, memory } = made({ perKey: 2 })
    expect(['1', '2', '3'].map((id) => memory.take('a', id))).toEqual(['new', 'new', 'full'])
    expect(memory.take('b', '1')).toBe('new')
    clock.now = 101
    expect(memory.take('a', '3')).toBe('new')
  })

  it('takes so many in all, and forgets none of them early', () => {
    const { memory } = made({ inAll: 2 })
    expect(['a', 'b', 'c'].map((key) => memory.take(key, '1'))).toEqual(['new', 'new', 'full'])
    expect(memory.take('a', '1')).toBe('known')
    expect(memory.size).toBe(2)
  })
})
