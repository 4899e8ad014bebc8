/**
 * Builds what npm publishes, into `dist/client-lib`, `dist/moq` and `dist/sframe`: ES modules and
 * their types for `sotto/client`, `sotto/element`, `sotto/moq`, `sotto/moq/node`, `sotto/sframe` and
 * `sotto/sframe/node`. The call page in `dist/app` is `build-app.ts`'s.
 *
 * `npm run build`
 */

import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { BuildError } from './build-app.ts'
import { buildClient } from './build-client.ts'
import { buildModules } from './build-modules.ts'

export interface PackageBuildOptions {
  /** `dist` unless told. */
  readonly outDir?: string
  /** Print nothing. */
  readonly quiet?: boolean
}

const home = dirname(dirname(fileURLToPath(import.meta.url)))
const FOLDERS = ['client-lib', 'moq', 'sframe']

/** @throws BuildError; what was built before then stays as it was */
export async function buildPackage(options: PackageBuildOptions = {}): Promise<void> {
  const outDir = options.outDir ?? join(home, 'dist')
  const started = performance.now()
  await mkdir(outDir, { recursive: true })
  const fresh = await mkdtemp(join(outDir, '.package-'))
  try {
    await buildModules(home, fresh)
    await buildClient(join(home, 'client-lib'), join(fresh, 'client-lib'))
    for (const folder of FOLDERS) {
      await rm(join(outDir, folder), { recursive: true, force: true })
      await rename(join(fresh, folder), join(outDir, folder))
    }
  } finally {
    await rm(fresh, { recursive: true, force: true })
  }
  if (options.quiet) return
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  process.stdout.write(`Built the package in ${seconds} s:\n${await summarize(outDir)}`)
}

/** What a page or program loads: the client file by file, the others each in one line. */
async function summarize(outDir: string): Promise<string> {
  const rows: { name: string; size: number; zipped: number }[] = []
  for (const folder of FOLDERS) {
    const names = await readdir(join(outDir, folder), { recursive: true })
    const scripts = names.filter((name) => name.endsWith('.js')).sort()
    const contents = await Promise.all(scripts.map((name) => readFile(join(outDir, folder, name))))
    const sized = (name: string, bytes: Buffer) =>
      rows.push({ name, size: bytes.length, zipped: gzipSync(bytes).length })
    if (folder === 'client-lib') {
      for (const [i, name] of scripts.entries()) sized(`${folder}/${name}`, contents[i]!)
    } else {
      sized(`${folder} (${scripts.length} modules, not minified)`, Buffer.concat(contents))
    }
  }
  const kilobytes = (size: number) => `${(size / 1000).toFixed(1)} kB`.padStart(10)
  const width = Math.max(...rows.map(({ name }) => name.length))
  return rows
    .map(
      (row) => `  ${row.name.padEnd(width)}${kilobytes(row.size)}${kilobytes(row.zipped)} gzip\n`,
    )
    .join('')
}

if (import.meta.main) {
  try {
    const unknown = process.argv[2]
    if (unknown) throw new BuildError(`unknown argument ${unknown}; there is none`)
    await buildPackage()
  } catch (error) {
    process.stderr.write(`build: ${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  }
}
