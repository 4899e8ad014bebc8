/**
 * Keeps the house's arrows (who may import whom): `client-lib` and `sfu` stand on `moq` and `sframe`,
 * which stand on nothing; `sfu` knows of `sframe` the header only, so that no key can reach the relay.
 */

import { readdirSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** Top-level folders, and which other ones each may import. */
const ARROWS: Record<string, readonly string[]> = {
  moq: [],
  sframe: [],
  'client-lib': ['moq', 'sframe'],
  sfu: ['moq', 'sframe'],
}
/** Run in browsers too: no Node built-ins, but for files and folders that are Node's own. */
const BROWSER = ['moq', 'sframe', 'client-lib']
const NODE_ONLY = [
  'sframe/node.ts',
  'sframe/providers/node.ts',
  'moq/node/',
  'moq/transport/quiche/',
]
const isNodeOnly = (file: string) =>
  NODE_ONLY.some((place) => (place.endsWith('/') ? file.startsWith(place) : file === place))

interface Import {
  readonly file: string
  readonly target: string
}

function sources(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !/\.test\.ts$|(^|\/)test\//.test(name))
    .map((name) => join(folder, name))
    .filter((file) => !isTestSupport(file))
}

/** Files that only tests load say so in their first lines. */
function isTestSupport(file: string): boolean {
  return /vitest|fast-check/.test(textOf(file))
}

function textOf(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8')
}

function withoutTypes(text: string): string {
  return text.replace(/^(import|export) type\b[^'"]*?(from ['"][^'"]+['"]|\}$)/gm, '')
}

function importsOf(file: string): Import[] {
  return importsIn(file, textOf(file))
}

function importsIn(file: string, text: string): Import[] {
  const pattern = /(?:^|\n)\s*(?:import|export)\b[^'"\n;]*?(?:\{[^}]*\}[^'"\n]*?)?['"]([^'"]+)['"]/g
  const dynamic = /import\(\s*['"]([^'"]+)['"]\s*\)/g
  const found = [...text.matchAll(pattern), ...text.matchAll(dynamic)].map((match) => match[1]!)
  return found.map((specifier) => ({
    file,
    target: specifier.startsWith('.')
      ? relative(ROOT, resolve(ROOT, dirname(file), specifier))
      : specifier,
  }))
}

const imports = Object.keys(ARROWS).flatMap((folder) => sources(folder).flatMap(importsOf))
/** Without those that are of types alone, which are not there any more when the code runs. */
const loaded = Object.keys(ARROWS).flatMap((folder) =>
  sources(folder).flatMap((file) => importsIn(file, withoutTypes(textOf(file)))),
)
const topOf = (path: string) => path.split('/')[0]!

describe('dependency arrows', () => {
  it('sees the imports at all', () => {
    expect(imports.length).toBeGreaterThan(300)
    expect(imports).toContainEqual({ file: 'sfu/relay/peer.ts', target: 'moq/session/index.ts' })
  })

  it('point one way between the top-level folders', () => {
    const wrong = imports.filter(({ file, target }) => {
      const from = topOf(file)
      const to = topOf(target)
      return to in ARROWS && to !== from && !ARROWS[from]!.includes(to)
    })
    expect(wrong).toEqual([])
  })

  it('reach no file outside the house', () => {
    expect(imports.filter(({ target }) => target.startsWith('..'))).toEqual([])
  })

  it('keep Node built-ins out of what a browser loads', () => {
    const wrong = imports.filter(
      ({ file, target }) =>
        BROWSER.includes(topOf(file)) &&
        !isNodeOnly(file) &&
        (target.startsWith('node:') || builtinModules.includes(target)),
    )
    expect(wrong).toEqual([])
  })

  it("keep the files that are Node's own out of what the entries for browsers reach", () => {
    const targets = new Map<string, string[]>()
    for (const { file, target } of imports)
      targets.set(file, [...(targets.get(file) ?? []), target])
    const reached = new Set<string>()
    const walk = (file: string): void => {
      if (reached.has(file)) return
      reached.add(file)
      for (const target of targets.get(file) ?? []) walk(target)
    }
    for (const folder of BROWSER) walk(`${folder}/index.ts`)
    expect(reached.size).toBeGreaterThan(100)
    expect([...reached].filter(isNodeOnly)).toEqual([])
  })

  it('give the relay the SFrame header and nothing that holds a key', () => {
    const wrong = imports.filter(
      ({ file, target }) =>
        topOf(file) === 'sfu' && topOf(target) === 'sframe' && target !== 'sframe/header.ts',
    )
    expect(wrong).toEqual([])
  })

  it('keep encryption off the main thread of a page: it reaches SFrame and MLS by its worker only', () => {
    // A worker's script is loaded by its address.
    const scripts = loaded.filter(({ target }) => !target.includes('?'))
    const byFile = Map.groupBy(scripts, ({ file }) => file)
    const reached = new Set(['client-lib/app/main.ts'])
    for (const file of reached) for (const { target } of byFile.get(file) ?? []) reached.add(target)
    // The page of ours, the call, and what of it is not in the worker.
    expect(reached).toContain('client-lib/call/call.ts')
    const keepers = (files: Iterable<string>) =>
      [...files].filter((file) =>
        /^(sframe\/|client-lib\/keys\/|client-lib\/call\/worker\/|ts-mls)/.test(file),
      )
    expect(keepers(reached)).toEqual([])
    const worker = new Set(['client-lib/call/worker/main.ts'])
    for (const file of worker) for (const { target } of byFile.get(file) ?? []) worker.add(target)
    expect(keepers(worker)).toEqual(expect.arrayContaining(['sframe/sender.ts', 'ts-mls']))
  })

  it('keep QUIC out of forwarding and media out of the engines', () => {
    const between = (from: string, to: string) =>
      imports.filter(({ file, target }) => file.startsWith(from) && target.startsWith(to))
    expect(between('sfu/forward/', 'sfu/engine/')).toEqual([])
    expect(between('sfu/engine/', 'sfu/forward/')).toEqual([])
    expect(between('sfu/engine/', 'sfu/relay/')).toEqual([])
    expect(between('sfu/engine/', 'moq/media/')).toEqual([])
    expect(between('sfu/engine/', 'moq/session/')).toEqual([])
  })

  it('have no circle between files', () => {
    const graph = new Map<string, string[]>()
    for (const { file, target } of imports) {
      graph.set(file, [...(graph.get(file) ?? []), target])
    }
    const circles: string[][] = []
    const done = new Set<string>()
    const walk = (file: string, path: string[]): void => {
      const at = path.indexOf(file)
      if (at >= 0) {
        circles.push([...path.slice(at), file])
        return
      }
      if (done.has(file)) return
      for (const next of graph.get(file) ?? []) walk(next, [...path, file])
      done.add(file)
    }
    for (const file of graph.keys()) walk(file, [])
    expect(circles).toEqual([])
  })
})
