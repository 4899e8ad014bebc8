import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  attachSignature,
  decodeStatement,
  encodeStatement,
  GROUP_BYTES,
  MAX_ROWS,
  MAX_STATEMENT_BYTES,
  type Statement,
  TAG_BYTES,
  toHex,
} from './statement.ts'

const hexOf = (bytes: number) => fc.uint8Array({ minLength: bytes, maxLength: bytes }).map(toHex)
const rows = fc.record({
  group: hexOf(GROUP_BYTES),
  epoch: fc.nat(),
  keyTag: hexOf(TAG_BYTES),
  logTag: fc.option(hexOf(TAG_BYTES)),
})
const statements: fc.Arbitrary<Statement> = fc.record({
  sequence: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
  participantId: fc.stringMatching(/^[a-z]{1,20}$/),
  fingerprint: fc.stringMatching(/^[\w-]{43}$/),
  rows: fc.array(rows, { minLength: 1, maxLength: MAX_ROWS }),
})

function signed(statement: Statement): Uint8Array {
  return attachSignature(encodeStatement(statement), new Uint8Array(64).fill(7))
}

describe('a statement', () => {
  it('comes back as it was, with what its signature is over', () => {
    fc.assert(
      fc.property(statements, (statement) => {
        const bytes = signed(statement)
        const decoded = decodeStatement(bytes)
        expect(decoded.statement).toEqual(statement)
        expect(decoded.content).toEqual(encodeStatement(statement))
        expect(decoded.signature).toEqual(new Uint8Array(64).fill(7))
        expect(bytes.length).toBeLessThanOrEqual(MAX_STATEMENT_BYTES)
      }),
    )
  })

  it('is refused when it is cut short, or has bytes left over', () => {
    const row = { group: '00'.repeat(8), epoch: 300, keyTag: '11'.repeat(16), logTag: null }
    const bytes = signed({ sequence: 1, participantId: 'ann', fingerprint: 'f', rows: [row] })
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeStatement(bytes.subarray(0, length))).toThrow()
    }
    expect(() => decodeStatement(Uint8Array.of(...bytes, 0))).toThrow('left over')
  })

  it('meets any bytes with a value or an error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        try {
          decodeStatement(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(Error)
        }
      }),
    )
  })

  it('is refused with no row, and with too many', () => {
    const row = { group: '00'.repeat(8), epoch: 0, keyTag: '11'.repeat(16), logTag: null }
    const of = (count: number) =>
      signed({
        sequence: 1,
        participantId: 'ann',
        fingerprint: 'f',
        rows: Array.from({ length: count }, () => row),
      })
    expect(() => decodeStatement(of(0))).toThrow('0 rows')
    expect(() => decodeStatement(of(MAX_ROWS + 1))).toThrow('25 rows')
    expect(() => decodeStatement(new Uint8Array(MAX_STATEMENT_BYTES + 1))).toThrow('2049 bytes')
  })
})
