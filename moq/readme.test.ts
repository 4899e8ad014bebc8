import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { example } from './readme.example.ts'

function read(name: string): string {
  return readFileSync(new URL(name, import.meta.url), 'utf8')
}

const readme = read('README.md')

describe('README', () => {
  it('shows an example that runs', async () => {
    expect(await new Promise((resolve) => example(resolve))).toBe('hello')
    const published = read('readme.example.ts').replace("'./index.ts'", "'sotto/moq'")
    expect(readme).toContain(`\`\`\`ts\n${published}\`\`\``)
  })

  it('shows a client for Node that runs: the test of the package runs it', () => {
    const published = read('node/readme.example.ts')
      .replace("'../index.ts'", "'sotto/moq'")
      .replace("'./index.ts'", "'sotto/moq/node'")
    expect(readme).toContain(`\`\`\`ts\n${published}\`\`\``)
  })

  it('names only what the package exports, for browsers or for Node', async () => {
    const entries = await Promise.all([import('./index.ts'), import('./node/index.ts')])
    const exported = new Set(entries.flatMap((entry) => Object.keys(entry)))
    const [, rooms] = readme.split('## What is here')
    const table = rooms!.split('\n\n')[2]!
    const types = ['SessionHandler', 'SessionLimits', 'TransportSession']
    const named = [...table.matchAll(/`(\w+)(?:\([^`]*\))?`/g)].map(([, name]) => name!)
    expect(named.length).toBeGreaterThan(15)
    expect(named.filter((name) => !exported.has(name) && !types.includes(name))).toEqual([])
  })
})
