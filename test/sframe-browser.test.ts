/**
 * SFrame in a real Chromium: the package as vite bundles it, in a worker of a page on loopback, with
 * the browser's own WebCrypto and with noble; and its benchmark, as a person starts it.
 */

import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Browser, Page } from 'playwright-core'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { MicroReport } from '../bench/micro/index.ts'
import { suites } from '../sframe/index.ts'
import type { Tasks } from './sframe-page/worker.ts'
import { launchChromium } from './support/chromium.ts'

let directory: string
let server: Server
let browser: Browser
let page: Page

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sotto-sframe-'))
  await build({
    configFile: false,
    logLevel: 'error',
    build: {
      outDir: directory,
      emptyOutDir: true,
      target: 'esnext',
      rollupOptions: {
        input: { worker: join(import.meta.dirname, 'sframe-page/worker.ts') },
        output: { entryFileNames: '[name].js' },
      },
    },
  })
  const script = await readFile(join(directory, 'worker.js'))
  server = createServer((request, response) => {
    if (request.url === '/worker.js') {
      response.setHeader('Content-Type', 'text/javascript').end(script)
    } else {
      response.setHeader('Content-Type', 'text/html').end('<!doctype html><title>SFrame</title>')
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  browser = await launchChromium()
  page = await browser.newPage()
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
})

afterAll(async () => {
  await browser?.close()
  server?.close()
  if (directory !== undefined) await rm(directory, { recursive: true, force: true })
})

async function inWorker<Name extends keyof Tasks>(task: Name): Promise<Tasks[Name]> {
  const answer = await page.evaluate(
    (name) =>
      new Promise<{ result?: unknown; error?: string }>((resolve) => {
        const worker = new Worker('/worker.js', { type: 'module' })
        worker.onmessage = ({ data }) => resolve(data)
        worker.onerror = ({ message }) => resolve({ error: message })
        worker.postMessage(name)
      }),
    task,
  )
  if (answer.error !== undefined) throw new Error(answer.error)
  return answer.result as Tasks[Name]
}

describe('SFrame in Chromium', () => {
  it.each([
    'webcrypto',
    'noble',
  ] as const)('passes every official vector with %s (RFC 9605 appendix C)', async (provider) => {
    const report = await inWorker(provider)
    expect(report.wrong).toEqual([])
    expect(report).toMatchObject({ header: 289, aead: 6, sframe: 8 })
    expect(report.suites).toEqual(Object.keys(suites))
  })

  it('seals with WebCrypto what noble opens, and the other way round, with frames in flight', async () => {
    const report = await inWorker('agreement')
    expect(report.wrong).toEqual([])
    // Suites, KIDs, directions, lengths.
    expect(report.frames).toBe(8 * 5 * 2 * 11)
  })
})

describe('bench', () => {
  it('measures every suite, provider and size in Chromium', { timeout: 180_000 }, async () => {
    const json = join(directory, 'bench.json')
    const script = join(import.meta.dirname, '../bench/main.ts')
    const args = ['micro', '--only', 'sframe-chromium', '--time', '1', '--json', json]
    const { stdout } = await promisify(execFile)(process.execPath, [script, ...args])
    const report: MicroReport = JSON.parse(await readFile(json, 'utf8'))
    const [subject] = report.subjects
    expect(subject).toMatchObject({ name: 'sframe-chromium', ranIn: expect.any(String) })
    expect(subject!.ranIn).toContain(browser.version())
    // Suites, providers, sizes, directions.
    expect(subject!.measurements).toHaveLength(8 * 2 * 4 * 2)
    for (const { name, nanosecondsPerOperation, leastNanoseconds } of subject!.measurements) {
      expect(stdout).toContain(name)
      // Less than half a microsecond would mean that nothing was encrypted.
      expect(leastNanoseconds).toBeGreaterThan(500)
      expect(nanosecondsPerOperation).toBeGreaterThanOrEqual(leastNanoseconds)
    }
  })
})
