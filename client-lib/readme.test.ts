import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

function read(name: string): string {
  return readFileSync(new URL(name, import.meta.url), 'utf8')
}

describe('README', () => {
  it('shows the example that the type checker sees', () => {
    const published = read('readme.example.ts').replace("'./index.ts'", "'sotto/client'")
    expect(published).toContain("'sotto/client'")
    expect(read('../README.md')).toContain(`\`\`\`ts\n${published}\`\`\``)
  })
})
