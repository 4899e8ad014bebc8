import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { H3_EXCESSIVE_LOAD, H3Error, QPACK_DECOMPRESSION_FAILED } from './errors.ts'
import { decodeFields, encodeFields, type Field } from './qpack.ts'
import { STATIC_TABLE } from './static-table.ts'

const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))

function codeOf(action: () => unknown): number {
  try {
    action()
  } catch (error) {
    if (error instanceof H3Error) return error.code
  }
  return -1
}

describe('QPACK', () => {
  it('has the static table of RFC 9204', () => {
    expect(STATIC_TABLE.length).toBe(99)
    expect(STATIC_TABLE[1]).toEqual([':path', '/'])
    expect(STATIC_TABLE[17]).toEqual([':method', 'GET'])
    expect(STATIC_TABLE[71]).toEqual([':status', '500'])
    expect(STATIC_TABLE[98]).toEqual(['x-frame-options', 'sameorigin'])
  })

  it('decodes a literal with a static name (RFC 9204, Appendix B.1)', () => {
    const section = hex('0000 510b 2f69 6e64 6578 2e68 746d 6c')
    expect(decodeFields(section)).toEqual([[':path', '/index.html']])
  })

  it('decodes indexed fields, literal names and Huffman strings', () => {
    // :method CONNECT; a literal name; a Huffman value behind a static name.
    const section = hex('0000 cf 23 61 62 63 03 78 79 7a 50 8c f1e3c2e5f23a6ba0ab90f4ff')
    expect(decodeFields(section)).toEqual([
      [':method', 'CONNECT'],
      ['abc', 'xyz'],
      [':authority', 'www.example.com'],
    ])
  })

  it('uses the static table where it writes', () => {
    expect(Buffer.from(encodeFields([[':status', '200']])).toString('hex')).toBe('0000d9')
    expect(encodeFields([[':status', '418']]).length).toBe(2 + 2 + 1 + 3)
  })

  it('reads what it writes', () => {
    const name = fc.stringMatching(/^[a-z0-9:-]{1,40}$/)
    const value = fc.stringMatching(/^[ -~]{0,200}$/)
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value), { maxLength: 20 }), (fields) => {
        expect(decodeFields(encodeFields(fields))).toEqual(fields)
      }),
    )
  })

  it.each([
    ['a dynamic table', '0200 cf'],
    ['a dynamic indexed field', '0000 80'],
    ['a dynamic name', '0000 40 01 61'],
    ['a post-base field', '0000 10'],
    ['a static index beyond the table', '0000 ff 24'],
    ['an endless integer', '0000 ff ffffffffffffffff 01'],
    ['a string longer than the section', '0000 27 ffffff 7f 61'],
    ['nothing', ''],
  ])('refuses %s', (_what, section) => {
    expect(codeOf(() => decodeFields(hex(section)))).toBe(QPACK_DECOMPRESSION_FAILED)
  })

  it('refuses more fields than any request has', () => {
    const fields = Array.from({ length: 200 }, (): Field => [':status', '200'])
    expect(codeOf(() => decodeFields(encodeFields(fields)))).toBe(H3_EXCESSIVE_LOAD)
  })

  it('answers hostile bytes with fields or the one error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => {
        try {
          decodeFields(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(H3Error)
        }
      }),
      { numRuns: 500 },
    )
  })
})
