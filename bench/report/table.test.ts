import { describe, expect, it } from 'vitest'
import { compact, table } from './table.ts'

describe('table', () => {
  it('aligns names to the left and figures to the right', () => {
    expect(
      table(
        ['', 'ns'],
        [
          ['encode', '12'],
          ['decode 1 B', '3'],
        ],
      ),
    ).toBe('            ns\n----------  --\nencode      12\ndecode 1 B   3\n')
  })
})

describe('compact', () => {
  it.each([
    [0, '0.00'],
    [9.946, '9.95'],
    [9.96, '10.0'],
    [99.6, '100'],
    [999.4, '999'],
    [999.6, '1.00 k'],
    [1_234_567, '1.23 M'],
    [2e13, '20.0 T'],
  ])('writes %d as %s', (value, text) => {
    expect(compact(value)).toBe(text)
  })
})
