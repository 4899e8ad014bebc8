import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { TransportKind } from '../transport/transport.ts'
import { SessionCode } from '../wire/codes.ts'
import { ProtocolError } from '../wire/errors.ts'
import { encodeProperties, type Property } from '../wire/properties.ts'
import { Writer } from '../wire/writer.ts'
import { checkSetup, SetupOption, tokenCacheSize } from './setup-rules.ts'
import { TestLink } from './test-pair.ts'

const utf8 = new TextEncoder()

function path(text: string): Property {
  return { type: SetupOption.PATH, value: utf8.encode(text) }
}

function authority(text: string): Property {
  return { type: SetupOption.AUTHORITY, value: utf8.encode(text) }
}

/** The code that SETUP with these options ends the session with; null: none. */
function codeOf(
  options: Property[],
  role: 'client' | 'server' = 'server',
  kind: TransportKind = 'quic',
): number | null {
  try {
    checkSetup({ type: 'SETUP', options }, role, kind)
    return null
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    return error.code
  }
}

describe('PATH and AUTHORITY in SETUP (sections 10.3.1.1 and 10.3.1.2)', () => {
  it('come from a client on raw QUIC alone', () => {
    expect(codeOf([path('/a'), authority('a.example')])).toBeNull()
    expect(codeOf([path('/a')], 'client')).toBe(SessionCode.INVALID_PATH)
    expect(codeOf([authority('a')], 'client')).toBe(SessionCode.INVALID_AUTHORITY)
    for (const kind of ['webtransport', 'websocket', 'memory'] as const) {
      expect(codeOf([path('/a')], 'server', kind)).toBe(SessionCode.INVALID_PATH)
      expect(codeOf([authority('a')], 'server', kind)).toBe(SessionCode.INVALID_AUTHORITY)
    }
  })

  it('follow RFC 3986: a path', () => {
    for (const good of ['', '/', '/a/b', '//', '/a;b=1', '/%20', '/a?b=c&d', '?x', '/a?b/c?d']) {
      expect([good, codeOf([path(good)])]).toEqual([good, null])
    }
    for (const bad of [
      'a',
      '/ ',
      '/%2',
      '/%zz',
      '/a#b',
      '/\u00e9',
      '/[',
      'http://x/',
      '/a\u0000',
    ]) {
      expect([bad, codeOf([path(bad)])]).toEqual([bad, SessionCode.MALFORMED_PATH])
    }
  })

  it('follow RFC 3986: an authority', () => {
    for (const good of ['a.example', 'a:443', '', '[::1]:4', '10.0.0.1', 'u:p@h', 'a%20b', 'a:']) {
      expect([good, codeOf([authority(good)])]).toEqual([good, null])
    }
    for (const bad of ['a b', 'a/b', '[::1', 'a:b', 'a@b@c', 'a?b', '\u00e9', '%', '[g]']) {
      expect([bad, codeOf([authority(bad)])]).toEqual([bad, SessionCode.MALFORMED_AUTHORITY])
    }
  })

  it('are judged in time, whatever their bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (value, isPath) => {
        const type = isPath ? SetupOption.PATH : SetupOption.AUTHORITY
        const malformed = isPath ? SessionCode.MALFORMED_PATH : SessionCode.MALFORMED_AUTHORITY
        expect([null, malformed]).toContain(codeOf([{ type, value }]))
      }),
    )
    const long = `/${'a'.repeat(60_000)}#`
    expect(codeOf([path(long)])).toBe(SessionCode.MALFORMED_PATH)
    expect(codeOf([authority(`${'a:'.repeat(30_000)}/`)])).toBe(SessionCode.MALFORMED_AUTHORITY)
  })
})

describe('SETUP options (section 10.3)', () => {
  it('that are not known are ignored, and may repeat (section 14)', () => {
    const grease = { type: 0x9d, value: new Uint8Array(3) }
    const even = { type: 0x11c, value: 5 }
    expect(codeOf([grease, grease, even, even], 'client', 'webtransport')).toBeNull()
  })

  it('that are known stand once, but for authorization tokens', () => {
    const token = { type: SetupOption.AUTHORIZATION_TOKEN, value: Uint8Array.of(3, 0) }
    expect(codeOf([token, token])).toBeNull()
    for (const option of [
      path('/'),
      authority('a'),
      { type: SetupOption.MAX_AUTH_TOKEN_CACHE_SIZE, value: 1 },
      { type: SetupOption.MOQT_IMPLEMENTATION, value: utf8.encode('x') },
    ]) {
      expect(codeOf([option, option])).toBe(SessionCode.PROTOCOL_VIOLATION)
    }
  })

  it('give room for tokens only where MAX_AUTH_TOKEN_CACHE_SIZE says so', () => {
    const options = [{ type: SetupOption.MAX_AUTH_TOKEN_CACHE_SIZE, value: 500 }]
    expect(tokenCacheSize({ type: 'SETUP', options: [] })).toBe(0)
    expect(tokenCacheSize({ type: 'SETUP', options })).toBe(500)
  })

  it('end the session, and reach no owner, when they break a rule', async () => {
    for (const [options, code] of [
      [[path('/')], SessionCode.INVALID_PATH],
      [[{ type: 0x9d, value: new Uint8Array(9) }], null],
    ] as const) {
      const link = new TestLink()
      let ready = 0
      const session = link.session('client', { onReady: () => ready++ })
      let closed: number | null = null
      const { server } = link.pair
      server.handler = {
        onUni: (stream) => {
          stream.handler = { onBytes() {}, onReset() {} }
        },
        onBidi: () => {},
        onDatagram: () => {},
        onStreamCredit: () => {},
        onRoom: () => {},
        onClosed: (info) => {
          closed = info.code
        },
      }
      const payload = encodeProperties([...options])
      server
        .openUni(0)!
        .write(new Writer().vi64(0x2f00).uint16(payload.length).bytes(payload).finish())
      await link.settle()
      expect(closed).toBe(code)
      expect(session.closed).toBe(code !== null)
      expect(ready).toBe(code === null ? 1 : 0)
    }
  })
})
