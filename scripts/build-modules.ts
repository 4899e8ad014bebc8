/**
 * Compiles `moq` and `sframe` to ES modules with declarations, file by file, and declares the types of
 * `client-lib`, whose code `build-client.ts` bundles. Only what an entry reaches is compiled.
 */

import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { BuildError } from './build-app.ts'

/** Entries whose modules are published as they are, and those of which only the types are. */
const MODULES = ['moq/index.ts', 'moq/node/index.ts', 'sframe/index.ts', 'sframe/node.ts']
const CLIENT = ['client-lib/index.ts', 'client-lib/element/index.ts']
const CLIENT_AMBIENT = 'client-lib/vite.d.ts'

/**
 * @param root the project's folder
 * @param outDir where `moq`, `sframe` and the declarations of `client-lib` go
 * @throws BuildError with the compiler's report
 */
export async function buildModules(root: string, outDir: string): Promise<void> {
  await compile(root, MODULES, { outDir, declaration: true })
  const clientTypes = join(outDir, '.client-types')
  await compile(root, [...CLIENT, CLIENT_AMBIENT], {
    outDir: clientTypes,
    declaration: true,
    emitDeclarationOnly: true,
  })
  const entries = CLIENT.map((entry) => join(clientTypes, entry.replace(/ts$/, 'd.ts')))
  await keepReachable(entries, clientTypes, outDir)
  await rm(clientTypes, { recursive: true })
  await nameBuiltFiles(outDir)
}

async function compile(
  root: string,
  files: readonly string[],
  options: Readonly<Record<string, unknown>> & { readonly outDir: string },
): Promise<void> {
  await mkdir(options.outDir, { recursive: true })
  const project = join(options.outDir, 'tsconfig.json')
  const compilerOptions = {
    noEmit: false,
    // What Node 20 runs.
    target: 'es2022',
    rootDir: root,
    typeRoots: [join(root, 'node_modules/@types')],
    ...options,
  }
  const extended = { extends: join(root, 'tsconfig.json'), compilerOptions, include: [] }
  const names = files.map((file) => join(root, file))
  await writeFile(project, JSON.stringify({ ...extended, files: names }))
  try {
    await promisify(execFile)(process.execPath, [compiler(root), '-p', project], { cwd: root })
  } catch (error) {
    const { stdout = '', message } = error as Error & { stdout?: string }
    throw new BuildError(`the sources do not compile:\n${stdout.trim() || message}`)
  }
  await rm(project)
}

function compiler(root: string): string {
  try {
    const manifest = createRequire(join(root, 'package.json')).resolve('typescript/package.json')
    return join(dirname(manifest), 'bin/tsc')
  } catch {
    throw new BuildError('typescript is not installed: run npm ci (without --omit=dev) first')
  }
}

const RELATIVE = /(\bfrom |\bimport\()'(\.{1,2}\/[^']+)\.ts'/g

/** Copies the declarations that the entries' types need; the rest tells of files that are not there. */
async function keepReachable(entries: readonly string[], from: string, to: string): Promise<void> {
  const pending = [...entries]
  const seen = new Set<string>()
  for (let file = pending.pop(); file !== undefined; file = pending.pop()) {
    if (seen.has(file)) continue
    seen.add(file)
    const text = await readFile(file, 'utf8')
    for (const [, , path] of text.matchAll(RELATIVE)) {
      pending.push(`${resolve(dirname(file), path!)}.d.ts`)
    }
    const copy = join(to, file.slice(from.length))
    await mkdir(dirname(copy), { recursive: true })
    if (!existsSync(copy)) await writeFile(copy, text)
  }
}

/** The compiler leaves `.ts` in the imports of declarations; published are `.js` and `.d.ts` files. */
async function nameBuiltFiles(outDir: string): Promise<void> {
  for (const name of await readdir(outDir, { recursive: true })) {
    if (!name.endsWith('.d.ts')) continue
    const file = join(outDir, name)
    await writeFile(file, (await readFile(file, 'utf8')).replace(RELATIVE, "$1'$2.js'"))
  }
}
