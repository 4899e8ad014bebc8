/** Real part: Vite, which builds the call page as `npm start` does. */

import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildApp } from './build-app.ts'

/** Bytes, compressed as a server sends them: what a person waits for before the page shows. */
const FIRST_LOAD = 250_000
/** The page, and what it names: without the worker, which loads while a person reads the form. */
const NAMED = /(?:src|href)="\.\/(assets\/[^"]+\.(?:js|css|svg))"/g

let folder: string
let page: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sotto-size-'))
  await buildApp({ outDir: join(folder, 'app'), quiet: true })
  page = await read('index.html')
}, 60_000)

afterAll(() => rm(folder, { recursive: true }))

const read = (name: string) => readFile(join(folder, 'app', name), 'utf8')

async function zipped(names: readonly string[]): Promise<Record<string, number>> {
  const sizes = names.map(async (name) => [name, gzipSync(await read(name)).length] as const)
  return Object.fromEntries(await Promise.all(sizes))
}

/** The page's own scripts, with those that they import before they run. */
async function firstScripts(): Promise<string[]> {
  const found = new Set([...page.matchAll(NAMED)].map(([, name]) => name!))
  for (const name of found) {
    if (!name.endsWith('.js')) continue
    for (const [, path] of (await read(name)).matchAll(/(?:from|import)\s*["']\.\/([^"']+)["']/g)) {
      found.add(`assets/${path}`)
    }
  }
  return [...found]
}

describe('the size of the call page', () => {
  it('is less than 250 kB compressed until it shows', async () => {
    const sizes = await zipped(['index.html', ...(await firstScripts())])
    const total = Object.values(sizes).reduce((sum, size) => sum + size, 0)
    process.stdout.write(`first load, bytes with gzip: ${total} ${JSON.stringify(sizes)}\n`)
    expect(Object.keys(sizes).some((name) => name.endsWith('.css'))).toBe(true)
    expect(Object.keys(sizes).some((name) => name.endsWith('.js'))).toBe(true)
    expect(total).toBeLessThan(FIRST_LOAD)
  })

  it('has MLS in the worker, which the first scripts start and do not contain', async () => {
    const names = (await readdir(join(folder, 'app/assets'))).filter((name) => name.endsWith('.js'))
    const worker = names.filter((name) => name.startsWith('main-'))
    expect(worker).toHaveLength(1)
    const [script] = worker
    process.stdout.write(
      `worker, bytes with gzip: ${JSON.stringify(await zipped([`assets/${script}`]))}\n`,
    )
    const first = (await firstScripts()).filter((name) => name.endsWith('.js'))
    const texts = await Promise.all(first.map(read))
    expect(first).not.toContain(`assets/${script}`)
    expect(texts.some((text) => text.includes(script!))).toBe(true)
    // The label of RFC 9420 section 8.1, which whoever derives MLS secrets has to say.
    expect(await read(`assets/${script}`)).toContain('MLS 1.0')
    expect(texts.filter((text) => text.includes('MLS 1.0'))).toEqual([])
  })
})
