import { describe, expect, it } from 'vitest'
import { SessionCode } from '../../moq/wire/codes.ts'
import type { AuthorizationToken } from '../../moq/wire/parameters.ts'
import { utf8 } from './test-support.ts'
import { hasRepeats, TokenRegistry } from './token-registry.ts'

const register = (alias: number, text: string): AuthorizationToken => ({
  kind: 'register',
  alias,
  type: 0,
  value: utf8(text),
})
const use = (alias: number): AuthorizationToken => ({ kind: 'use-alias', alias })
const remove = (alias: number): AuthorizationToken => ({ kind: 'delete', alias })
const fails = (code: number) => expect.objectContaining({ name: 'ProtocolError', code })

describe('TokenRegistry', () => {
  it('resolves aliases, counts 16 and the value, and frees what is deleted', () => {
    const registry = new TokenRegistry(40)
    const value = utf8('abcd')
    registry.apply([{ kind: 'register', alias: 1, type: 0, value }], 'request')
    value.fill(0)
    expect(registry.bytes).toBe(20)
    expect(registry.apply([use(1)], 'request')).toEqual([{ type: 0, value: utf8('abcd') }])
    registry.apply([register(2, 'efgh')], 'request')
    expect(registry.bytes).toBe(40)
    expect(registry.apply([remove(1), register(1, 'ij')], 'request')).toHaveLength(1)
    expect(registry.bytes).toBe(38)
  })

  it('ends the session for a second registration, an overflow and an unknown alias', () => {
    const registry = new TokenRegistry(20)
    registry.apply([register(1, 'abcd')], 'request')
    const duplicate = fails(SessionCode.DUPLICATE_AUTH_TOKEN_ALIAS)
    expect(() => registry.apply([register(1, 'abcd')], 'request')).toThrow(duplicate)
    const overflow = fails(SessionCode.AUTH_TOKEN_CACHE_OVERFLOW)
    expect(() => registry.apply([register(2, '')], 'request')).toThrow(overflow)
    const unknown = fails(SessionCode.UNKNOWN_AUTH_TOKEN_ALIAS)
    expect(() => registry.apply([use(2)], 'request')).toThrow(unknown)
    expect(() => registry.apply([remove(2)], 'request')).toThrow(unknown)
  })

  it('takes an overflowing REGISTER in SETUP as USE_VALUE and refuses what SETUP must not hold', () => {
    const registry = new TokenRegistry(0)
    expect(registry.apply([register(1, 'a')], 'setup')).toHaveLength(1)
    expect(registry.bytes).toBe(0)
    const violation = fails(SessionCode.PROTOCOL_VIOLATION)
    expect(() => registry.apply([use(1)], 'setup')).toThrow(violation)
    expect(() => registry.apply([remove(1)], 'setup')).toThrow(violation)
  })

  it('tells each time that a token finds no room (section 10.3.1.3)', () => {
    let full = 0
    const registry = new TokenRegistry(20, () => full++)
    registry.apply([register(1, 'abcd')], 'setup')
    expect(full).toBe(0)
    registry.apply([register(2, '')], 'setup')
    expect(() => registry.apply([register(3, '')], 'request')).toThrow()
    expect(full).toBe(2)
  })

  it('sees the same token twice through an alias', () => {
    const registry = new TokenRegistry(100)
    const again: AuthorizationToken = { kind: 'use-value', type: 0, value: utf8('a') }
    expect(hasRepeats(registry.apply([register(1, 'a'), again], 'request'))).toBe(true)
    expect(hasRepeats(registry.apply([use(1), { ...again, type: 5 }], 'request'))).toBe(false)
  })
})
