/** Real part: the compiler. The example is what a developer copies; it is not run here. */

import { execFile } from 'node:child_process'
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { entries } from './entries.ts'

const home = fileURLToPath(new URL('..', import.meta.url))
const example = join(home, 'examples/react/src')
const compilerOptions = {
  target: 'es2024',
  module: 'esnext',
  moduleResolution: 'bundler',
  jsx: 'react-jsx',
  lib: ['es2024', 'dom', 'dom.iterable'],
  strict: true,
  noUncheckedIndexedAccess: true,
  noEmit: true,
  skipLibCheck: true,
  allowImportingTsExtensions: true,
  types: [],
}

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sotto-example-'))
  await cp(example, folder, { recursive: true })
})

afterEach(() => rm(folder, { recursive: true }))

/** @returns what the compiler has to say of the example, nothing if all is well */
async function check(): Promise<string> {
  const ambient = ['client-lib/vite.d.ts', 'examples/react.d.ts'].map((name) => join(home, name))
  const paths = Object.fromEntries(
    entries().map(({ name, source }) => [name, [join(home, source)]]),
  )
  const files = [...(await readdir(folder)).filter((name) => /\.tsx?$/.test(name)), ...ambient]
  const config = { compilerOptions: { ...compilerOptions, paths }, files }
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

/** Names by the entry that they are imported from. */
function importsOf(text: string): { from: string; names: string[] }[] {
  const found = text.matchAll(/import(?: type)? \{([^}]+)\} from '(sotto\/[^']+)'/g)
  return [...found].map(([, list, from]) => ({
    from: from!,
    names: [...list!.matchAll(/(?:type )?(\w+)/g)].map(([, name]) => name!),
  }))
}

async function change(name: string, from: string, to: string): Promise<void> {
  const text = await readFile(join(folder, name), 'utf8')
  expect(text).toContain(from)
  await writeFile(join(folder, name), text.replace(from, to))
}

describe('the React example', () => {
  it('is TypeScript that the compiler takes, by the types of the library', async () => {
    expect(await check()).toBe('')
  }, 60_000)

  it('would not be taken with a mistake in what it asks of the library, or of React', async () => {
    await change('use-call.ts', "call.on('participants'", "call.on('people'")
    await change('use-call.ts', 'certificateHashes })', 'certificateHashes, video: 1 })')
    await change('main.tsx', 'attachVideo(id, canvas.current)', 'attachVideo(canvas.current, id)')
    await change('main.tsx', '<CallRoom room="demo"', '<CallRoom rooms="demo"')
    const complaints = await check()
    for (const word of ['"people"', "'video'", "'HTMLCanvasElement'", "'rooms'"]) {
      expect(complaints).toContain(word)
    }
  }, 60_000)

  it('imports what the API reference has, and is under 100 lines', async () => {
    const names = await readdir(example)
    const texts = await Promise.all(names.map((name) => readFile(join(example, name), 'utf8')))
    const imports = texts.flatMap(importsOf)
    expect(imports.length).toBeGreaterThan(1)
    for (const { from, names } of imports) {
      const page = `docs/api/${from.replace('sotto/', '').replaceAll('/', '-')}.md`
      const reference = await readFile(join(home, page), 'utf8')
      for (const name of names) expect(reference).toContain(`\n## ${name}\n`)
    }
    expect(texts.join('').split('\n').length).toBeLessThan(100)
  })
})
