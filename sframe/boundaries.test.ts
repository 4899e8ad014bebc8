import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = dirname(fileURLToPath(import.meta.url))

function importsOf(path: string): string[] {
  const source = readFileSync(path, 'utf8')
  return [...source.matchAll(/(?:from|import) '([^']+)'/g)].map((match) => match[1] ?? '')
}

/** Every file that `entry` loads, and every package it names. */
function reach(entry: string): { files: Set<string>; packages: Set<string> } {
  const files = new Set<string>()
  const packages = new Set<string>()
  const pending = [join(root, entry)]
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    const name = relative(root, path)
    if (files.has(name)) continue
    files.add(name)
    for (const specifier of importsOf(path)) {
      if (specifier.startsWith('.')) pending.push(join(dirname(path), specifier))
      else packages.add(specifier)
    }
  }
  return { files, packages }
}

describe('the package', () => {
  it('loads in a browser: nothing of Node, nothing outside its folder', () => {
    const { files, packages } = reach('index.ts')
    expect([...files].filter((file) => file.startsWith('..'))).toEqual([])
    expect(files).not.toContain('providers/node.ts')
    expect([...packages].filter((name) => !name.startsWith('@noble/'))).toEqual([])
  })

  it('has one file that needs Node, and no source left out of both entries', () => {
    const { files, packages } = reach('node.ts')
    expect([...packages].filter((name) => name.startsWith('node:'))).toEqual(['node:crypto'])
    const sources = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
      (name) =>
        name.endsWith('.ts') &&
        !/\.test\.ts$|^testing\.ts$|^vectors\/index\.ts$|^readme\.example\.ts$/.test(name),
    )
    expect(sources.filter((name) => !files.has(name))).toEqual([])
  })

  it('gives a relay the header without any cryptography', () => {
    expect(reach('header.ts').packages.size).toBe(0)
    expect([...reach('header.ts').files].sort()).toEqual(['errors.ts', 'header.ts', 'uint64.ts'])
  })
})
