/** SFrame in a real Chromium: the cases bundled by vite, in a worker of a page on loopback. */

import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { ABOUT_FRAMES } from '../sframe-cases.ts'
import type { Measurement, RemoteMeasurements, RemoteSubject } from '../subject.ts'
import type { Answer } from './worker.ts'

export const sframeInChromium: RemoteSubject = {
  name: 'sframe-chromium',
  about: `in a worker of Chromium, ${ABOUT_FRAMES}`,
  async measure(timeMs) {
    // Here, because they are slow to load and no other subject needs them.
    const { chromium } = await import('playwright-core')
    const { findChromium } = await import('../../../scripts/chromium.ts')
    const script = await bundleWorker()
    const server = serve(script)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    try {
      const browser = await chromium.launch({
        executablePath: findChromium(),
        args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
      })
      try {
        const { port } = server.address() as AddressInfo
        return await measureIn(browser, `http://127.0.0.1:${port}/`, timeMs)
      } finally {
        await browser.close()
      }
    } finally {
      server.close()
    }
  },
}

async function bundleWorker(): Promise<Uint8Array> {
  const { build } = await import('vite')
  const directory = await mkdtemp(join(tmpdir(), 'sotto-bench-'))
  try {
    await build({
      configFile: false,
      logLevel: 'error',
      build: {
        outDir: directory,
        emptyOutDir: true,
        target: 'esnext',
        rollupOptions: {
          input: { worker: join(import.meta.dirname, 'worker.ts') },
          output: { entryFileNames: '[name].js' },
        },
      },
    })
    return await readFile(join(directory, 'worker.js'))
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

function serve(script: Uint8Array): Server {
  return createServer((request, response) => {
    // Isolated pages have a clock of 5 µs; the others one of 100.
    response.setHeader('Cross-Origin-Opener-Policy', 'same-origin')
    response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp')
    if (request.url === '/worker.js') {
      response.setHeader('Content-Type', 'text/javascript').end(script)
    } else {
      response.setHeader('Content-Type', 'text/html').end('<!doctype html><title>bench</title>')
    }
  })
}

async function measureIn(
  browser: Browser,
  url: string,
  timeMs: number,
): Promise<RemoteMeasurements> {
  const page = await browser.newPage()
  await page.goto(url)
  const measurements = await page.evaluate(
    (message) =>
      new Promise<Measurement[]>((resolve, reject) => {
        const measured: Measurement[] = []
        const worker = new Worker('/worker.js', { type: 'module' })
        worker.onerror = ({ message: reason }) => reject(new Error(reason))
        worker.onmessage = ({ data }: MessageEvent<Answer>) => {
          if ('measurement' in data) measured.push(data.measurement)
          else if ('error' in data) reject(new Error(data.error))
          else resolve(measured)
        }
        worker.postMessage(message)
      }),
    { timeMs },
  )
  return { ranIn: `Chromium ${browser.version()}`, measurements }
}
