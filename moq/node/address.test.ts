import { describe, expect, it } from 'vitest'
import { ConnectError } from '../transport/quiche/connect-error.ts'
import { parseAddress } from './address.ts'

describe('the address of a server (section 3.1.1)', () => {
  it.each([
    ['moqt://relay.example', 'relay.example', 443, 'relay.example', ''],
    ['moqt://relay.example/', 'relay.example', 443, 'relay.example', '/'],
    ['moqt://relay.example:443', 'relay.example', 443, 'relay.example:443', ''],
    ['moqt://relay.example:4433/a/b?c=d', 'relay.example', 4433, 'relay.example:4433', '/a/b?c=d'],
    ['moqt://relay.example?c', 'relay.example', 443, 'relay.example', '?c'],
    ['MOQT://Relay.Example/A', 'relay.example', 443, 'relay.example', '/A'],
    ['moqt://127.0.0.1:1/', '127.0.0.1', 1, '127.0.0.1:1', '/'],
    ['moqt://[::1]:4433/x', '::1', 4433, '[::1]:4433', '/x'],
    [
      'moqt://bücher.example/ä b',
      'xn--bcher-kva.example',
      443,
      'xn--bcher-kva.example',
      '/%C3%A4%20b',
    ],
    ['moqt://relay.example/a|b%zz%20', 'relay.example', 443, 'relay.example', '/a%7Cb%25zz%20'],
  ])('%s gives host, port, AUTHORITY and PATH', (url, host, port, authority, path) => {
    expect(parseAddress(url)).toMatchObject({ over: 'quic', host, port, authority, path })
  })

  it('keeps its fragment to itself (section 3.1.2)', () => {
    const { path, https } = parseAddress('moqt://relay.example/app?x#catalog:a/b')
    expect(path).toBe('/app?x')
    expect(https).toBe('https://relay.example/app?x')
  })

  it('becomes a WebTransport URL by its scheme alone (section 3.1.3)', () => {
    expect(parseAddress('moqt://example.com/path').https).toBe('https://example.com/path')
    const web = parseAddress(new URL('https://example.com:4433/path?x'))
    expect(web).toMatchObject({
      over: 'webtransport',
      port: 4433,
      https: 'https://example.com:4433/path?x',
    })
  })

  it.each([
    'moqt:relay.example',
    'moqt://',
    'moqt:///path',
    'moqt://:4433/',
    'moqt://?x',
    'http://relay.example/',
    'relay.example:4433',
    'moqt://relay.example:99999/',
    'moqt://user:secret@relay.example/',
    'moqt://a b/',
  ])('is refused as %s, in words', (url) => {
    expect(() => parseAddress(url)).toThrow(ConnectError)
    expect(() => parseAddress(url)).toThrow(expect.objectContaining({ kind: 'url' }))
  })

  it('does not repeat a password in its error', () => {
    expect(() => parseAddress('moqt://user:secret@relay.example/')).not.toThrow(/secret/)
  })
})
