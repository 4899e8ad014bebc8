/** Tables in Markdown whose rows name the test that shows them, for the tests that check such tables. */

import { existsSync, readFileSync } from 'node:fs'

const root = new URL('../', import.meta.url)

/** One table: under its heading, the cells of each row by column. */
export interface Table {
  readonly heading: string
  readonly columns: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** @param chapter whose tables stand under headings of the third level, or before the first of them */
export function tablesOf(chapter: string): Table[] {
  return chapter.split('\n### ').flatMap((part) => {
    const heading = part.split('\n')[0]!
    return part
      .split('\n\n')
      .map((block) => block.split('\n').filter((line) => line.startsWith('| ')))
      .filter((lines) => lines.length > 2)
      .map(([head, , ...rows]) => ({ heading, columns: cells(head!), rows: rows.map(cells) }))
  })
}

function cells(line: string): string[] {
  return line
    .slice(1, -1)
    .split('|')
    .map((cell) => cell.trim())
}

/**
 * Why a row does not name a test in its last cell, as `file` › title; null when it does. An empty cell will
 * do where another one says that there is nothing to show.
 * @param gap how such a cell begins
 */
export function faultOf(row: readonly string[], columns: readonly string[], gap: RegExp) {
  if (row.length !== columns.length) return 'it has not as many cells as its table'
  if (row.at(-1) === '' && row.some((cell) => gap.test(cell))) return null
  const [, file, title] = row.at(-1)!.match(/^`([^`]+)` › (.+)$/) ?? []
  if (!file || !title) return 'it names no test'
  const url = new URL(file, root)
  if (!existsSync(url)) return `there is no ${file}`
  const source = readFileSync(url, 'utf8')
  const quoted = ["'", '"', '`'].map((quote) => `${quote}${title}${quote}`)
  return quoted.some((text) => source.includes(text)) ? null : `${file} has no such test`
}

/** Each fault of each row, with where it is. */
export function faultsOf(tables: readonly Table[], gap: RegExp): string[] {
  return tables.flatMap(({ heading, columns, rows }) =>
    rows.flatMap((row) => {
      const fault = faultOf(row, columns, gap)
      return fault === null ? [] : [`${heading}: ${row[0]}: ${fault}`]
    }),
  )
}
