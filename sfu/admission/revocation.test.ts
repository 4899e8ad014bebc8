import { describe, expect, it } from 'vitest'
import { Revocations } from './revocation.ts'

const right = (tokenId: string | null) => ({ room: 'demo', participant: 'alice', tokenId })

describe('Revocations', () => {
  it('covers a token until its expiry, and no other', () => {
    const revocations = new Revocations()
    revocations.revoke({ kind: 'token', tokenId: 'a' }, 100, 0)
    expect(revocations.covers(right('a'), 99)).toBe(true)
    expect(revocations.covers(right('b'), 99)).toBe(false)
    expect(revocations.covers(right(null), 99)).toBe(false)
    expect(revocations.covers(right('a'), 100)).toBe(false)
    expect(revocations.size).toBe(0)
  })

  it('covers every token of a participant of that room', () => {
    const revocations = new Revocations()
    revocations.revoke({ kind: 'participant', room: 'demo', participant: 'alice' }, 100, 0)
    expect(revocations.covers(right(null), 1)).toBe(true)
    expect(revocations.covers({ ...right(null), room: 'other' }, 1)).toBe(false)
  })

  it('never shortens a revocation', () => {
    const revocations = new Revocations()
    revocations.revoke({ kind: 'token', tokenId: 'a' }, 100, 0)
    revocations.revoke({ kind: 'token', tokenId: 'a' }, 50, 0)
    expect(revocations.covers(right('a'), 99)).toBe(true)
  })

  it('is bounded, forgets only what has expired and says when it is full', () => {
    const revocations = new Revocations(2)
    expect(revocations.revoke({ kind: 'token', tokenId: 'a' }, 10, 0)).toBe(true)
    expect(revocations.revoke({ kind: 'token', tokenId: 'b' }, 100, 0)).toBe(true)
    expect(revocations.revoke({ kind: 'token', tokenId: 'c' }, 100, 0)).toBe(false)
    expect(revocations.revoke({ kind: 'token', tokenId: 'c' }, 100, 10)).toBe(true)
    expect(revocations.covers(right('b'), 20)).toBe(true)
    expect(revocations.size).toBe(2)
  })

  it('can be told to another process, as long as it holds', () => {
    const revocations = new Revocations()
    revocations.revoke({ kind: 'token', tokenId: 'a' }, 10, 0)
    revocations.revoke({ kind: 'token', tokenId: 'b' }, Number.POSITIVE_INFINITY, 0)
    expect(revocations.list(10)).toEqual([
      { revoked: { kind: 'token', tokenId: 'b' }, until: Number.POSITIVE_INFINITY },
    ])
  })

  it('tells listeners', () => {
    const revocations = new Revocations()
    let told = 0
    const stop = revocations.onRevoked(() => told++)
    revocations.revoke({ kind: 'token', tokenId: 'a' }, 100, 0)
    stop()
    revocations.revoke({ kind: 'token', tokenId: 'b' }, 100, 0)
    expect(told).toBe(1)
  })
})
