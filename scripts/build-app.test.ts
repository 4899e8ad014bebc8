import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type BuildResult, buildApp } from './build-app.ts'

let folder: string
let root: string
let outDir: string

const build = (force = false): Promise<BuildResult> =>
  buildApp({ root, outDir, sources: [root], quiet: true, force })

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sotto-build-'))
  root = join(folder, 'app')
  outDir = join(folder, 'dist', 'app')
  await mkdir(root)
  await writeFile(
    join(root, 'index.html'),
    '<!doctype html><title>x</title><script type="module" src="./main.ts"></script>',
  )
  await writeFile(
    join(root, 'main.ts'),
    `import './style.css'
     const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' })
     worker.onmessage = ({ data }: MessageEvent<string>) => { document.title = data }
     void import('./later.ts').then(({ later }) => worker.postMessage(later()))`,
  )
  await writeFile(join(root, 'later.ts'), `export const later = (): string => 'part of later'`)
  await writeFile(join(root, 'shared.ts'), `export const answer: string = 'shared with worker'`)
  await writeFile(
    join(root, 'worker.ts'),
    `import { answer } from './shared.ts'\nonmessage = () => postMessage(answer)`,
  )
  await writeFile(join(root, 'style.css'), 'body { color: teal }')
})

afterEach(() => rm(folder, { recursive: true }))

describe('buildApp', () => {
  it('builds a page with hashed names, a module worker and nothing inline', async () => {
    expect(await build()).toEqual({ built: true, outDir })
    const page = await readFile(join(outDir, 'index.html'), 'utf8')
    expect(page).toMatch(
      /<script type="module"[^>]* src="\.\/assets\/index-[\w-]{8}\.js"><\/script>/,
    )
    expect(page).not.toMatch(/<script[^>]*>[^<]|<style|https?:|style=/)
    const assets = (await readdir(join(outDir, 'assets'))).filter((name) => !name.endsWith('.map'))
    for (const name of assets) expect(name).toMatch(/^(index|later|worker)-[\w-]{8}\.(js|css)$/)
    expect(assets).toHaveLength(4)
    const worker = assets.find((name) => name.startsWith('worker')) ?? ''
    expect(await readFile(join(outDir, 'assets', worker), 'utf8')).toContain('shared with worker')
    expect((await stat(outDir)).mode & 0o777).toBe(0o755)
  })

  it('does nothing until a source changes', async () => {
    await build()
    expect((await build()).built).toBe(false)
    await writeFile(join(root, 'main.test.ts'), 'a test is no part of the page')
    expect((await build()).built).toBe(false)
    expect((await build(true)).built).toBe(true)
    await writeFile(join(root, 'later.ts'), `export const later = (): string => 'changed'`)
    expect((await build()).built).toBe(true)
    expect((await build()).built).toBe(false)
    await rm(join(root, 'style.css'))
    await writeFile(join(root, 'main.ts'), 'document.title = "less"')
    expect((await build()).built).toBe(true)
    expect(await readdir(join(outDir, 'assets'))).toHaveLength(2) // nothing of the former build
  })

  it('keeps the former page when a build fails, and says why', async () => {
    await build()
    const before = await readFile(join(outDir, 'index.html'), 'utf8')
    await writeFile(join(root, 'main.ts'), `import { gone } from './missing.ts'\nconsole.log(gone)`)
    await expect(build()).rejects.toThrow(/Vite could not build the call page: .*missing\.ts/s)
    expect(await readFile(join(outDir, 'index.html'), 'utf8')).toBe(before)
    expect(await readdir(join(folder, 'dist'))).toEqual(['app'])
  })

  it('says that there is no page', async () => {
    await rm(join(root, 'index.html'))
    await expect(build()).rejects.toThrow(/there is no page to build: .*index\.html is missing/)
  })

  it('exits with 1 and one line on a bad flag', async () => {
    const script = fileURLToPath(new URL('./build-app.ts', import.meta.url))
    const run = promisify(execFile)(process.execPath, [script, '--fast'])
    await expect(run).rejects.toMatchObject({
      code: 1,
      stderr: 'build-app: unknown flag --fast; there is --force\n',
    })
  })
})
