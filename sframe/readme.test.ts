import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { sframeErrors } from './errors.ts'
import { example } from './readme.example.ts'
import { suites } from './suites.ts'
import { bytesOf } from './testing.ts'

function read(name: string): string {
  return readFileSync(new URL(name, import.meta.url), 'utf8')
}

const readme = read('README.md')

describe('README', () => {
  it('shows an example that runs', async () => {
    const baseKey = new Uint8Array(32).fill(1)
    expect(await example(baseKey, bytesOf('a frame'))).toEqual(bytesOf('a frame'))
    expect(baseKey.every((byte) => byte === 0)).toBe(true)
    const published = read('readme.example.ts')
      .replace("'./index.ts'", "'sotto/sframe'")
      .replace("'./node.ts'", "'sotto/sframe/node'")
    expect(readme).toContain(`\`\`\`ts\n${published}\`\`\``)
  })

  it('lists every suite and every error', () => {
    for (const suite of Object.values(suites)) {
      expect(readme).toContain(`| ${suite.id} | \`${suite.name}\` | ${suite.keyLength} |`)
    }
    for (const code of Object.keys(sframeErrors)) expect(readme).toContain(`| \`${code}\` |`)
  })
})
