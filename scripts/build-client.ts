/**
 * Builds the call library for browsers with Vite into files that stand beside each other: the entry, the
 * worker, the audio worklets, and `<sotto-call>`. Each is whole in itself, dependencies included, but for
 * the element, which imports the entry. The entry names worker and worklet by `new URL('./x.js',
 * import.meta.url)`: so a page can import it from any server as it is, and a bundler that merely copies
 * the two files does right.
 */

import { existsSync } from 'node:fs'
import { dirname, join, posix, relative, resolve, sep } from 'node:path'
import type { Plugin, Rolldown } from 'vite'
import { BuildError } from './build-app.ts'

/** Sources that run in a thread of their own, and what they are called when built. */
const PARTS: Readonly<Record<string, string>> = {
  'call/worker/main.ts': 'call-worker.js',
  'painting/worker.ts': 'picture-worker.js',
  'media/playout-worklet.ts': 'playout-worklet.js',
  'media/capture/capture-worklet.ts': 'capture-worklet.js',
}
const ENTRY = 'index.js'
const ELEMENT = { source: 'element/index.ts', file: 'element.js' } as const

/**
 * @param root folder with the sources, `client-lib`
 * @param outDir where the files and their source maps go
 * @throws BuildError
 */
export async function buildClient(root: string, outDir: string): Promise<void> {
  const referenced = new Set<string>()
  await bundle(root, 'index.ts', ENTRY, outDir, [references(root, referenced)])
  for (const [source, file] of Object.entries(PARTS)) {
    if (!referenced.has(file)) throw new BuildError(`nothing in client-lib starts ${source}`)
    await bundle(root, source, file, outDir, [])
  }
  await bundle(root, ELEMENT.source, ELEMENT.file, outDir, [entryBeside(root)])
}

/** Keeps the entry out of what imports it: a page has one copy, whichever of them it loads first. */
function entryBeside(root: string): Plugin {
  const entry = join(root, 'index.ts')
  return {
    name: 'sotto-entry',
    enforce: 'pre',
    resolveId(id, importer) {
      const isEntry = importer !== undefined && resolve(dirname(importer), id) === entry
      return isEntry ? { id: `./${ENTRY}`, external: true } : null
    },
  }
}

async function bundle(
  root: string,
  source: string,
  file: string,
  outDir: string,
  plugins: Plugin[],
): Promise<void> {
  const entry = join(root, source)
  if (!existsSync(entry)) throw new BuildError(`${relative(dirname(root), entry)} is missing`)
  const { build } = await import('vite').catch(() => {
    throw new BuildError('vite is not installed: run npm ci (without --omit=dev) first')
  })
  const output: Rolldown.OutputOptions = {
    entryFileNames: file,
    // One file: a bundler that copies it as an asset would leave its chunks behind.
    codeSplitting: false,
    sourcemapPathTransform: (path, map) => packagePath(root, resolve(dirname(map), path)),
  }
  try {
    await build({
      root,
      configFile: false,
      envDir: false,
      publicDir: false,
      logLevel: 'silent',
      plugins,
      define: { 'process.env.NODE_ENV': '"production"' },
      build: {
        outDir,
        emptyOutDir: false,
        target: 'es2022',
        minify: true,
        sourcemap: true,
        reportCompressedSize: false,
        chunkSizeWarningLimit: Number.POSITIVE_INFINITY,
        rolldownOptions: { input: entry, preserveEntrySignatures: 'strict', output },
        modulePreload: false,
      },
    })
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new BuildError(`Vite could not build ${source}: ${reason.trim()}`)
  }
}

/** A source's name in a map: its place in the project, whatever machine built it. */
function packagePath(root: string, path: string): string {
  const inside = relative(dirname(root), path).split(sep).join(posix.sep)
  const packageAt = inside.lastIndexOf('node_modules/')
  return `sotto:///${packageAt < 0 ? inside : inside.slice(packageAt)}`
}

const WORKER_URL = /new URL\(\s*'(\.[^']+\.ts)',\s*import\.meta\.url,?\s*\)/g
const PART_IMPORT = '?worker&url'
const MARK = '__SOTTO_PART__'

/**
 * Points at the built parts, in the two forms that the sources have: `new URL('./x.ts',
 * import.meta.url)` and `import url from './x.ts?worker&url'`. Vite would build its own copies; so it
 * sees a mark, which becomes the name when the chunk is written.
 */
function references(root: string, referenced: Set<string>): Plugin {
  const partOf = (path: string, importer: string): string => {
    const source = relative(root, resolve(dirname(importer), path))
      .split(sep)
      .join(posix.sep)
    const file = PARTS[source]
    if (!file) throw new BuildError(`${source} is started by client-lib and not known to the build`)
    referenced.add(file)
    return `new URL(${MARK}[${JSON.stringify(file)}], import.meta.url)`
  }
  return {
    name: 'sotto-parts',
    enforce: 'pre',
    resolveId: {
      handler(id, importer) {
        if (!importer || !id.endsWith(PART_IMPORT)) return null
        return `\0part:${resolve(dirname(importer), id.slice(0, -PART_IMPORT.length))}`
      },
    },
    load(id) {
      if (!id.startsWith('\0part:')) return null
      return `export default ${partOf(id.slice('\0part:'.length), root)}.href`
    },
    transform(code, id) {
      if (!id.startsWith(root) || !id.endsWith('.ts')) return null
      const changed = code.replace(WORKER_URL, (_, path: string) => partOf(path, id))
      return changed === code ? null : { code: changed, map: null }
    },
    renderChunk(code) {
      const named = new RegExp(`${MARK}(?:\\[["'\`]([\\w.-]+)["'\`]\\])`, 'g')
      return { code: code.replace(named, (_, file: string) => `"./${file}"`), map: null }
    },
  }
}
