/** Real part: the compiler, which reads the declarations as they are published. */

import { readdirSync, readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { makeReference, type Reference } from './api-docs.ts'

const folder = new URL('../docs/api/', import.meta.url)

let reference: Reference

beforeAll(async () => {
  reference = await makeReference()
}, 60_000)

describe('the API reference', () => {
  it('is what the comments in the sources say: `npm run docs` brings it up to date', () => {
    expect(readdirSync(folder).sort()).toEqual([...reference.pages.keys()].sort())
    for (const [name, text] of reference.pages) {
      const isSame = readFileSync(new URL(name, folder), 'utf8') === text
      expect({ name, isSame }).toEqual({ name, isSame: true })
    }
  })

  it('has a comment for everything that is exported', () => {
    expect(reference.undocumented).toEqual([])
  })

  it('shows what is public of a class, and of a constant its type', () => {
    const client = reference.pages.get('client.md')!
    expect(client).toContain('class Call {')
    expect(client).toContain('setMicrophone(on: boolean): void;')
    expect(client).not.toMatch(/^ *(private|protected|#\w)/m)
    expect(reference.pages.get('moq.md')).toContain('const defaultSuite: SuiteName')
    expect(reference.pages.get('sframe-node.md')).not.toContain('## SenderContext')
  })
})
