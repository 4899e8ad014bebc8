/**
 * Builds the call page into `dist/app` with Vite: hashed names, module workers, nothing fetched from
 * elsewhere. Does nothing while the sources and the lock file are what they were at the last build.
 *
 * `npm run build:app [-- --force]`
 */

import { createHash, type Hash } from 'node:crypto'
import { existsSync } from 'node:fs'
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

export interface BuildOptions {
  /** Build even if nothing changed. */
  readonly force?: boolean
  /** Print nothing. */
  readonly quiet?: boolean
  /** The page's sources, with `index.html`; `client-lib/app` unless told. */
  readonly root?: string
  /** Where the built page goes; `dist/app` unless told. */
  readonly outDir?: string
  /** Folders and files that the page is made of; a change in one makes the build due. */
  readonly sources?: readonly string[]
}

export interface BuildResult {
  /** False when nothing had changed. */
  readonly built: boolean
  readonly outDir: string
}

/** The page could not be built. The message says why, as far as Vite does. */
export class BuildError extends Error {
  override readonly name = 'BuildError'
}

const home = dirname(dirname(fileURLToPath(import.meta.url)))
const stampName = '.stamp'

/** @throws BuildError */
export async function buildApp(options: BuildOptions = {}): Promise<BuildResult> {
  const root = options.root ?? join(home, 'client-lib/app')
  const outDir = options.outDir ?? join(home, 'dist/app')
  const sources = options.sources ?? defaultSources(root)
  if (!existsSync(join(root, 'index.html'))) {
    throw new BuildError(`there is no page to build: ${join(root, 'index.html')} is missing`)
  }
  const stamp = await fingerprint(sources)
  if (!options.force && (await readOrNull(join(outDir, stampName))) === stamp) {
    if (!options.quiet) process.stdout.write('The call page is up to date.\n')
    return { built: false, outDir }
  }
  const started = performance.now()
  // Built beside and then moved: a failed or interrupted build leaves the former page as it was.
  await mkdir(dirname(outDir), { recursive: true })
  const fresh = await mkdtemp(join(dirname(outDir), '.app-'))
  try {
    await bundle(root, fresh)
    await writeFile(join(fresh, stampName), stamp)
    // Temporary folders are private; the relay may run as another user than the one that builds.
    await chmod(fresh, 0o755)
    await replaceFolder(fresh, outDir)
  } finally {
    await rm(fresh, { recursive: true, force: true })
  }
  if (!options.quiet) {
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    process.stdout.write(`Built the call page in ${seconds} s:\n${await summarize(outDir)}`)
  }
  return { built: true, outDir }
}

async function replaceFolder(fresh: string, former: string): Promise<void> {
  await rm(former, { recursive: true, force: true })
  try {
    await rename(fresh, former)
  } catch (error) {
    // Another build of the same sources finished in this moment: its page is as good.
    if (!existsSync(join(former, 'index.html'))) throw error
  }
}

function defaultSources(root: string): string[] {
  const inside = ['client-lib', 'moq', 'sframe', 'package-lock.json', 'package.json']
  return [...inside.map((name) => join(home, name)), root, fileURLToPath(import.meta.url)]
}

async function bundle(root: string, outDir: string): Promise<void> {
  const { build } = await import('vite').catch(() => {
    throw new BuildError('vite is not installed: run npm ci (without --omit=dev) first')
  })
  try {
    await build({
      root,
      base: './',
      configFile: false,
      envDir: false,
      publicDir: existsSync(join(root, 'public')) ? 'public' : false,
      logLevel: 'silent',
      define: { 'process.env.NODE_ENV': '"production"' },
      worker: { format: 'es' },
      build: {
        outDir,
        emptyOutDir: false,
        target: 'es2022',
        // The page's policy allows no inline script, and data: addresses only for pictures.
        assetsInlineLimit: 0,
        modulePreload: { polyfill: false },
        sourcemap: true,
        reportCompressedSize: false,
        chunkSizeWarningLimit: 1000,
      },
    })
  } catch (error) {
    throw new BuildError(`Vite could not build the call page: ${describe(error)}`)
  }
}

function describe(error: unknown): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: terminal colours
  const colours = /\u001b\[[0-9;]*m/g
  return (error instanceof Error ? error.message : String(error)).replace(colours, '').trim()
}

/** Hash of the contents and names of all files below `sources`, without tests. */
async function fingerprint(sources: readonly string[]): Promise<string> {
  const hash = createHash('sha256')
  for (const source of sources) {
    const info = await stat(source).catch(() => null)
    if (info?.isFile()) await addFile(hash, source)
    else if (info?.isDirectory()) await addFolder(hash, source)
    else hash.update(`missing ${source}\n`)
  }
  return hash.digest('hex')
}

async function addFolder(hash: Hash, folder: string): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries
    .filter((entry) => entry.isFile() && !/\.test\.ts$|\.md$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !/(^|\/)(test|vectors)\//.test(relative(folder, file)))
  for (const file of files.sort()) await addFile(hash, file)
}

async function addFile(hash: Hash, file: string): Promise<void> {
  const bytes = await readFile(file)
  hash.update(`${relative(home, file)} ${bytes.length}\n`).update(bytes)
}

function readOrNull(file: string): Promise<string | null> {
  return readFile(file, 'utf8').catch(() => null)
}

/** One line a file that a browser loads, the largest first. */
async function summarize(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const rows: { name: string; size: number; zipped: number }[] = []
  for (const entry of entries) {
    if (!entry.isFile() || entry.name === stampName || entry.name.endsWith('.map')) continue
    const file = join(entry.parentPath, entry.name)
    const bytes = await readFile(file)
    const zipped = gzipSync(bytes).length
    rows.push({ name: relative(folder, file), size: bytes.length, zipped })
  }
  rows.sort((a, b) => b.size - a.size)
  const kilobytes = (size: number) => `${(size / 1000).toFixed(1)} kB`.padStart(10)
  const width = Math.max(...rows.map(({ name }) => name.length))
  return rows
    .map(
      (row) => `  ${row.name.padEnd(width)}${kilobytes(row.size)}${kilobytes(row.zipped)} gzip\n`,
    )
    .join('')
}

if (import.meta.main) {
  const unknown = process.argv.slice(2).filter((flag) => flag !== '--force')
  try {
    if (unknown.length > 0) throw new BuildError(`unknown flag ${unknown[0]}; there is --force`)
    await buildApp({ force: process.argv.includes('--force') })
  } catch (error) {
    process.stderr.write(`build-app: ${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  }
}
