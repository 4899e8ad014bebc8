/** Real part: the compiler. Whatever a README shows in TypeScript is what a developer copies. */

import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { entries } from './entries.ts'

const home = fileURLToPath(new URL('..', import.meta.url))
const PLACES = ['', 'client-lib', 'moq', 'sframe', 'sfu', 'bench', 'deploy', 'docs']
const compilerOptions = {
  target: 'es2024',
  module: 'esnext',
  moduleResolution: 'bundler',
  lib: ['es2024', 'dom', 'dom.iterable'],
  strict: true,
  noUncheckedIndexedAccess: true,
  noEmit: true,
  skipLibCheck: true,
  allowImportingTsExtensions: true,
  types: ['node'],
  typeRoots: [join(home, 'node_modules/@types')],
}

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sotto-snippets-'))
})

afterEach(() => rm(folder, { recursive: true }))

/** @returns what the compiler has to say, nothing if all is well; a file is named after its place */
async function check(snippets: ReadonlyMap<string, string>): Promise<string> {
  for (const [name, text] of snippets) await writeFile(join(folder, name), `${text}\nexport {}\n`)
  const ambient = join(home, 'client-lib/vite.d.ts')
  const sources = entries().map(({ name, source }) => [name, [join(home, source)]])
  const options = { ...compilerOptions, paths: Object.fromEntries(sources) }
  const config = { compilerOptions: options, files: [...snippets.keys(), ambient] }
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config))
  const tsc = join(home, 'node_modules/typescript/bin/tsc')
  const run = promisify(execFile)(process.execPath, [tsc, '-p', folder, '--pretty', 'false'], {
    cwd: folder,
  })
  return run.then(
    () => '',
    (error: { stdout: string }) => error.stdout,
  )
}

async function snippetsOfReadmes(): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for (const place of PLACES) {
    const names = (await readdir(join(home, place))).filter((name) => name.endsWith('.md'))
    for (const name of names) {
      const text = await readFile(join(home, place, name), 'utf8')
      for (const { 1: code, index } of text.matchAll(/```ts\n((?:.*\n)*?)```/g)) {
        const line = text.slice(0, index).split('\n').length + 1
        found.set(`${join(place, name).replaceAll('/', '-')}-line-${line}.ts`, code!)
      }
    }
  }
  return found
}

describe('what READMEs show', () => {
  it('is TypeScript that the compiler takes, each by itself', async () => {
    const snippets = await snippetsOfReadmes()
    const shown = [...snippets.keys()].map((name) => name.replace(/-line-\d+\.ts$/, ''))
    const places = ['README.md', 'client-lib-README.md', 'moq-README.md', 'sframe-README.md']
    expect([...new Set(shown)]).toEqual(expect.arrayContaining(places))
    expect(snippets.size).toBeGreaterThan(10)
    expect(await check(snippets)).toBe('')
  }, 60_000)

  it('would not be taken with a mistake in it', async () => {
    const wrong = "import { joinCall } from 'sotto/client'\njoinCall({ url: '', room: 1 })"
    expect(await check(new Map([['wrong.ts', wrong]]))).toMatch(/^wrong\.ts\(2,/)
  }, 60_000)
})
