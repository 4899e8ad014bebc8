/** The tables of README.md: each row names a test, and nothing of the draft's registries is left out. */

import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { SetupOption } from './session/index.ts'
import { MESSAGE_ID } from './wire/bodies.ts'
import { DoneCode, RequestCode, ResetCode, SessionCode } from './wire/codes.ts'
import { PARAMETERS } from './wire/draft18/parameters.ts'
import { PropertyType } from './wire/properties.ts'

const root = new URL('../', import.meta.url)
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

/** One table: under its heading, the cells of each row by column. */
interface Table {
  readonly heading: string
  readonly columns: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

const tables: Table[] = chapter.split('\n### ').flatMap((part) => {
  const heading = part.split('\n')[0]!
  return part
    .split('\n\n')
    .map((block) => block.split('\n').filter((line) => line.startsWith('| ')))
    .filter((lines) => lines.length > 2)
    .map(([head, , ...rows]) => ({ heading, columns: cells(head!), rows: rows.map(cells) }))
})

function cells(line: string): string[] {
  return line
    .slice(1, -1)
    .split('|')
    .map((cell) => cell.trim())
}

/** Why a row does not name a test; null when it does, or says that its rule is not kept. */
function faultOf(row: readonly string[], columns: readonly string[]): string | null {
  if (row.length !== columns.length) return 'it has not as many cells as its table'
  if (row.at(-1) === '' && row.some((cell) => /^not kept: \w/.test(cell))) return null
  const [, file, title] = row.at(-1)!.match(/^`([^`]+)` › (.+)$/) ?? []
  if (!file || !title) return 'it names no test'
  const url = new URL(file, root)
  if (!existsSync(url)) return `there is no ${file}`
  const source = readFileSync(url, 'utf8')
  const quoted = ["'", '"', '`'].map((quote) => `${quote}${title}${quote}`)
  return quoted.some((text) => source.includes(text)) ? null : `${file} has no such test`
}

/** The first cells of a table's rows without their quotes, with the code beside them. */
function named(heading: string, column = 0): string[] {
  const wanted = tables.filter((table) => table.heading === heading)
  return wanted.flatMap(({ rows }) => rows.map((row) => row[column]!.replaceAll('`', '')))
}

describe('the tables of draft-18 in README.md', () => {
  it('name for every row a test that is there', () => {
    const faults = tables.flatMap(({ heading, columns, rows }) =>
      rows.flatMap((row) => {
        const fault = faultOf(row, columns)
        return fault === null ? [] : [`${heading}: ${row[0]}: ${fault}`]
      }),
    )
    expect(faults).toEqual([])
    expect(tables.map(({ columns }) => columns.at(-1))).toEqual(tables.map(() => 'Test'))
    expect(tables.reduce((sum, { rows }) => sum + rows.length, 0)).toBeGreaterThan(250)
  })

  it('can tell a row without its test', () => {
    const columns = ['What', 'Test']
    const row = (test: string) => faultOf(['x', test], columns)
    expect(row('')).toBe('it names no test')
    expect(row('`moq/none.test.ts` › x')).toBe('there is no moq/none.test.ts')
    expect(row('`moq/readme.test.ts` › of no such name')).toMatch('has no such test')
    expect(faultOf(['not kept: it is not', ''], columns)).toBeNull()
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
