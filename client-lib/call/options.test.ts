import { describe, expect, it } from 'vitest'
import { CallOptionsError, checkOptions } from './options.ts'
import type { JoinOptions } from './types.ts'

const options: JoinOptions = { url: 'https://relay.example:4433/', room: 'demo', name: ' Ada ' }

describe('the options of a call', () => {
  it('are taken with a name without spaces around it', () => {
    expect(checkOptions(options)).toEqual({ ...options, name: 'Ada' })
    const keySettings = { updateMs: 0, graceMs: 10_000, checkMs: 1 }
    const token = async () => 'a.b.c'
    const issuerKeys = { keys: [{ kty: 'OKP' }] }
    expect(checkOptions({ ...options, keySettings, token, issuerKeys })).toMatchObject({
      keySettings,
    })
  })

  it.each<[string, Partial<JoinOptions>]>([
    ['no name', { name: ' ' }],
    ['a name too long', { name: 'x'.repeat(65) }],
    ['a room of the service', { room: '.mls' }],
    ['an address without TLS', { url: 'http://relay.example/' }],
    ['a hash that is none', { certificateHashes: ['abc'] }],
    ['keys of an issuer without a token', { issuerKeys: { keys: [] } }],
    ['data of no size', { chatSettings: { maxDataBytes: 0 } }],
    ['data larger than receivers take', { chatSettings: { maxDataBytes: 65_537 } }],
    ['too few bits for a picture', { maxVideoBitrate: 20_000 }],
    ['bits without end', { maxVideoBitrate: Number.POSITIVE_INFINITY }],
    ['a negative time', { keySettings: { updateMs: -1 } }],
    ['no time', { keySettings: { graceMs: Number.NaN } }],
    ['a time without end', { keySettings: { checkMs: Number.POSITIVE_INFINITY } }],
  ])('are refused with %s', (_, wrong) => {
    expect(() => checkOptions({ ...options, ...wrong })).toThrow(CallOptionsError)
  })
})
