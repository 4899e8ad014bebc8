/** The tables of README.md: each row names a test, and nothing of the draft's registries is left out. */

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { faultOf, faultsOf, tablesOf } from '../scripts/named-tests.ts'
import { SetupOption } from './session/index.ts'
import { MESSAGE_ID } from './wire/bodies.ts'
import { DoneCode, RequestCode, ResetCode, SessionCode } from './wire/codes.ts'
import { PARAMETERS } from './wire/draft18/parameters.ts'
import { PropertyType } from './wire/properties.ts'

const readme = readFileSync(new URL('README.md', import.meta.url), 'utf8')
const chapter = readme.split('## How much of draft-18 there is')[1]!.split('\n## ')[0]!

/** Of draft-19. */
const LATER: ReadonlySet<string> = new Set([
  'MAX_FILTER_RANGES',
  'MAX_REQUEST_UPDATES',
  'TOO_MANY_REQUEST_UPDATES',
  'CONFLICTING_FILTERS',
  'INVALID_FILTER',
])

const tables = tablesOf(chapter)
/** A row without a test says so. */
const NOT_KEPT = /^not kept: \w/

/** The first cells of a table's rows without their quotes, with the code beside them. */
function named(heading: string, column = 0): string[] {
  const wanted = tables.filter((table) => table.heading === heading)
  return wanted.flatMap(({ rows }) => rows.map((row) => row[column]!.replaceAll('`', '')))
}

describe('the tables of draft-18 in README.md', () => {
  it('name for every row a test that is there', () => {
    expect(faultsOf(tables, NOT_KEPT)).toEqual([])
    expect(tables.map(({ columns }) => columns.at(-1))).toEqual(tables.map(() => 'Test'))
    expect(tables.reduce((sum, { rows }) => sum + rows.length, 0)).toBeGreaterThan(250)
  })

  it('can tell a row without its test', () => {
    const columns = ['What', 'Test']
    const row = (test: string) => faultOf(['x', test], columns, NOT_KEPT)
    expect(row('')).toBe('it names no test')
    expect(row('`moq/none.test.ts` › x')).toBe('there is no moq/none.test.ts')
    expect(row('`moq/readme.test.ts` › of no such name')).toMatch('has no such test')
    expect(faultOf(['not kept: it is not', ''], columns, NOT_KEPT)).toBeNull()
  })

  it('have every message, parameter, property and SETUP option', () => {
    expect(named('Messages').toSorted()).toEqual(Object.keys(MESSAGE_ID).toSorted())
    const hex = (types: Iterable<number>) =>
      [...types].map((type) => `0x${type.toString(16).padStart(2, '0')}`)
    expect(named('Message parameters', 1)).toEqual(
      expect.arrayContaining(hex(PARAMETERS.map(({ type }) => type))),
    )
    for (const [heading, registry] of [
      ['Properties', PropertyType],
      ['SETUP options', SetupOption],
    ] as const) {
      const known = Object.entries(registry).filter(([name]) => !LATER.has(name))
      const names = known.map(([name]) => name)
      expect(named(heading)).toEqual(expect.arrayContaining(names))
      const types = hex(known.map(([, type]) => type))
      expect(named(heading, 1)).toEqual(expect.arrayContaining(types))
    }
  })

  it('have every code of the registries, as sent or as not sent', () => {
    const sent = new Map(
      tables
        .filter(({ heading }) => heading === 'Codes that we send')
        .map(({ columns, rows }) => [
          columns[0]!,
          new Map(rows.map(([name, code]) => [name!.replaceAll('`', ''), Number(code)])),
        ]),
    )
    const [unsent] = chapter.split('### Codes that we send')[1]!.split('| ')
    for (const [table, registry] of [
      ['Session', SessionCode],
      ['REQUEST_ERROR', RequestCode],
      ['PUBLISH_DONE', DoneCode],
      ['Reset or STOP_SENDING', ResetCode],
    ] as const) {
      for (const [name, code] of Object.entries(registry)) {
        const told = sent.get(table)!.get(name)
        if (told === undefined) expect(LATER.has(name) || unsent?.includes(name)).toBe(true)
        else expect([name, told]).toEqual([name, code])
      }
    }
  })
})
