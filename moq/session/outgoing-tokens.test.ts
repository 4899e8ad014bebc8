import { describe, expect, it } from 'vitest'
import { OutgoingTokens } from './outgoing-tokens.ts'

const VALUE = new Uint8Array(34)

describe('tokens that we send (sections 10.2.2 and 10.3.1.3)', () => {
  it('go by value to a peer that says nothing of a cache', () => {
    const tokens = new OutgoingTokens(0)
    for (let i = 0; i < 2; i++) expect(tokens.token(1, VALUE).kind).toBe('use-value')
  })

  it('are registered once, and named when that request was answered', () => {
    const tokens = new OutgoingTokens(1000)
    expect(tokens.token(1, VALUE)).toEqual({ kind: 'register', alias: 0, type: 1, value: VALUE })
    expect(tokens.token(1, VALUE).kind).toBe('use-value')
    tokens.confirm(0)
    expect(tokens.token(1, new Uint8Array(34))).toEqual({ kind: 'use-alias', alias: 0 })
    expect(tokens.token(2, VALUE)).toMatchObject({ kind: 'register', alias: 1 })
  })

  it('take 16 bytes and their value of the room, and never more than there is', () => {
    const tokens = new OutgoingTokens(99)
    expect(tokens.token(1, VALUE).kind).toBe('register')
    expect(tokens.token(2, VALUE).kind).toBe('use-value')
    expect(tokens.token(3, new Uint8Array(33)).kind).toBe('register')
    expect(tokens.token(4, new Uint8Array(0)).kind).toBe('use-value')
  })
})
