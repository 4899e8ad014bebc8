/** What the examples import from the package. They are not type-checked: their frameworks are not installed. */

import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const root = new URL('../', import.meta.url)

/** Names by the entry that they are imported from. */
function importsOf(text: string): { from: string; names: string[] }[] {
  const found = text.matchAll(/import(?: type)? \{([^}]+)\} from '(sotto\/[^']+)'/g)
  return [...found].map(([, list, from]) => ({
    from: from!,
    names: [...list!.matchAll(/(?:type )?(\w+)/g)].map(([, name]) => name!),
  }))
}

describe('examples/react', () => {
  it('imports what the API reference has, and is under 100 lines', () => {
    const folder = new URL('examples/react/src/', root)
    const texts = readdirSync(folder).map((name) => readFileSync(new URL(name, folder), 'utf8'))
    const imports = texts.flatMap(importsOf)
    expect(imports.length).toBeGreaterThan(1)
    for (const { from, names } of imports) {
      const page = new URL(`docs/api/${from.replace('sotto/', '').replaceAll('/', '-')}.md`, root)
      const reference = readFileSync(page, 'utf8')
      for (const name of names) expect(reference).toContain(`\n## ${name}\n`)
    }
    expect(texts.join('').split('\n').length).toBeLessThan(100)
  })
})
