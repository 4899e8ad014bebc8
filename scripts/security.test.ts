/** The threat model of SECURITY.md: what is said to hold names a test, and that test is there. */

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { faultOf, faultsOf, tablesOf } from './named-tests.ts'

const text = readFileSync(new URL('../SECURITY.md', import.meta.url), 'utf8')
const tables = tablesOf(text.split('\n## Threat model')[1]!)
/** The one outcome for which there may be nothing to show. */
const GAP = /^does not hold\b/
const OUTCOME = /^(holds|does not hold)\b/

describe('the threat model in SECURITY.md', () => {
  it('names for every row that holds a test that is there', () => {
    expect(faultsOf(tables, GAP)).toEqual([])
    expect(tables.reduce((sum, { rows }) => sum + rows.length, 0)).toBeGreaterThan(70)
  })

  it('has a table for each attacker, and says of each attack whether it holds', () => {
    const attacks = tables.filter(({ columns }) => columns[0] === 'Attack')
    expect(attacks.map(({ heading }) => heading)).toEqual([
      'A passive network',
      'An active network',
      'A malicious relay',
      'A malicious delivery service',
      'A stolen token',
      'A removed member',
      'A device that was compromised, and is not any more',
      'A malicious member',
    ])
    const vague = attacks.flatMap(({ rows }) =>
      rows.filter(([, outcome]) => !OUTCOME.test(outcome!)),
    )
    expect(vague).toEqual([])
  })

  it('would not pass a claim without a test', () => {
    const columns = ['Attack', 'What becomes of it', 'Test']
    expect(faultOf(['reads', 'holds: it cannot', ''], columns, GAP)).toBe('it names no test')
    expect(faultOf(['reads', 'does not hold: it can', ''], columns, GAP)).toBeNull()
  })
})
