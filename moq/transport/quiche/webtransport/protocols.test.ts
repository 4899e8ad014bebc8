import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  formatProtocol,
  formatProtocolList,
  parseProtocol,
  parseProtocolList,
} from './protocols.ts'

describe('wt-available-protocols', () => {
  it.each([
    ['"moqt-18"', ['moqt-18']],
    ['"moqt-18", "moqt-16"', ['moqt-18', 'moqt-16']],
    ['  "a"\t,\t"b";q=1;x="y";z ', ['a', 'b']],
    ['"quote \\" and \\\\"', ['quote " and \\']],
    ['', []],
  ])('reads %s', (field, list) => {
    expect(parseProtocolList(field)).toEqual(list)
  })

  it.each([
    'moqt-18',
    '"moqt-18',
    '"a" "b"',
    '"a",',
    ',"a"',
    '"a", b',
    '"a";Q=1',
    '"a";q=',
    '"\\n"',
    '"\u00e4"',
    '("a" "b")',
  ])('ignores %s as a whole', (field) => {
    expect(parseProtocolList(field)).toEqual([])
  })

  it('reads what it writes', () => {
    const ascii = fc.stringMatching(/^[ -~]{0,30}$/)
    fc.assert(
      fc.property(fc.array(ascii, { maxLength: 10 }), (list) => {
        expect(parseProtocolList(formatProtocolList(list))).toEqual(list)
        for (const item of list) expect(parseProtocol(formatProtocol(item))).toBe(item)
      }),
    )
  })

  it('takes any text in time', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), (field) => {
        expect(Array.isArray(parseProtocolList(field))).toBe(true)
      }),
    )
    expect(parseProtocolList(`"${'\\"'.repeat(50_000)}`)).toEqual([])
    expect(parseProtocolList('"a", '.repeat(10_000))).toEqual([])
  })
})
