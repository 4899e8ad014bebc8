/** What the package exports, by `package.json`. */

import { readFileSync } from 'node:fs'

export interface Entry {
  /** As it is imported, e.g. `sotto/moq/node`. */
  readonly name: string
  /** Its source, from the project's folder, e.g. `moq/node/index.ts`. */
  readonly source: string
}

/** Each entry that has types. */
export function entries(): Entry[] {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  const { exports } = JSON.parse(manifest) as {
    exports: Record<string, { readonly types: string } | string>
  }
  return Object.entries(exports).flatMap(([path, target]) => {
    if (typeof target === 'string') return []
    const source = target.types.replace('./dist/', '').replace(/\.d\.ts$/, '.ts')
    return [{ name: path.replace('.', 'sotto'), source }]
  })
}
