import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { H3Error } from './errors.ts'
import { decodeHuffman } from './huffman.ts'

const hex = (text: string) => Uint8Array.from(Buffer.from(text, 'hex'))

describe('the Huffman code', () => {
  // RFC 7541, Appendices C.4 and C.6.
  it.each([
    ['f1e3c2e5f23a6ba0ab90f4ff', 'www.example.com'],
    ['a8eb10649cbf', 'no-cache'],
    ['25a849e95ba97d7f', 'custom-key'],
    ['25a849e95bb8e8b4bf', 'custom-value'],
    ['6402', '302'],
    ['aec3771a4b', 'private'],
    ['d07abe941054d444a8200595040b8166e082a62d1bff', 'Mon, 21 Oct 2013 20:13:21 GMT'],
    ['9d29ad171863c78f0b97c8e9ae82ae43d3', 'https://www.example.com'],
    ['640eff', '307'],
    [
      '94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007',
      'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1',
    ],
    ['', ''],
  ])('decodes %s', (bytes, text) => {
    expect(decodeHuffman(hex(bytes))).toBe(text)
  })

  it('refuses padding of eight bits and padding with a zero', () => {
    expect(() => decodeHuffman(hex('6402ff'))).toThrow(H3Error)
    expect(decodeHuffman(hex('07'))).toBe('0')
    expect(() => decodeHuffman(hex('06'))).toThrow(H3Error)
  })

  it('refuses the end-of-string symbol', () => {
    expect(() => decodeHuffman(hex('ffffffff'))).toThrow(H3Error)
  })

  it('answers hostile bytes with a bounded string or the one error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        try {
          // The shortest code has five bits.
          expect(decodeHuffman(bytes).length).toBeLessThanOrEqual((bytes.length * 8) / 5)
        } catch (error) {
          expect(error).toBeInstanceOf(H3Error)
        }
      }),
    )
  })
})
