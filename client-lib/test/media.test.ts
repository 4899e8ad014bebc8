/**
 * The media pipeline in a real Chromium with its fake camera and microphone: the page is built with
 * vite, served on loopback, and everything but capture and playout runs in a worker, as in a call.
 */

import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { extname, join, normalize } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launchChromium } from '../../test/support/chromium.ts'
import { VIDEO_CODECS } from '../media/codecs.ts'
import type { LoopReport } from './media-page/messages.ts'

const TYPES: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript' }

let directory: string
let server: Server
let browser: Browser
let page: Page
const pageErrors: string[] = []

function serve(root: string): Server {
  return createServer((request, response) => {
    const path = normalize(new URL(request.url ?? '/', 'http://page').pathname)
    readFile(join(root, path === '/' ? 'index.html' : path)).then(
      (body) => {
        response.setHeader('content-type', TYPES[extname(path) || '.html'] ?? 'text/plain')
        response.end(body)
      },
      () => {
        response.statusCode = 404
        response.end()
      },
    )
  })
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sotto-media-'))
  await build({
    root: join(import.meta.dirname, 'media-page'),
    configFile: false,
    logLevel: 'error',
    worker: { format: 'es' },
    build: { outDir: directory, emptyOutDir: true },
  })
  server = serve(directory)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  browser = await launchChromium()
  page = await browser.newPage()
  page.on('pageerror', (error) => pageErrors.push(error.message))
  const { port } = server.address() as AddressInfo
  await page.goto(`http://127.0.0.1:${port}/`)
  await page.evaluate(() => mediaLoop.start(0.1))
})

afterAll(async () => {
  await browser?.close()
  await new Promise((resolve) => server?.close(resolve))
  await rm(directory, { recursive: true, force: true })
})

/** Waits until the loop's report satisfies a condition, and returns it; the last one at the latest. */
async function reportWhen(
  condition: (report: LoopReport) => boolean,
  of: Page = page,
): Promise<LoopReport> {
  const deadline = Date.now() + 20_000
  for (;;) {
    const report = await of.evaluate(() => mediaLoop.report())
    if (condition(report) || Date.now() > deadline) return report
    await of.waitForTimeout(100)
  }
}

describe.each(VIDEO_CODECS)('pictures in %s', (codec) => {
  it('are encoded in layers and decoded, where this Chromium can do both', async ({ skip }) => {
    const own = await browser.newPage()
    await own.goto(page.url())
    const [encodes, decodes] = await own.evaluate(async () => {
      const { encodes, decodes } = await mediaLoop.codecs()
      return [[...encodes.keys()], [...decodes]]
    })
    if (!encodes.includes(codec) || !decodes.includes(codec)) {
      await own.close()
      skip(`this Chromium encodes ${encodes} and decodes ${decodes}`)
    }
    await own.evaluate(
      (name) => mediaLoop.start(0, { codec: name, width: 320, height: 180 }),
      codec,
    )
    const report = await reportWhen(
      ({ video }) => video.framesDecoded >= 20 && video.layers.length === 3,
      own,
    )
    expect(report.errors).toEqual([])
    expect(report.layers).toMatch(/^K[012K]*2/)
    expect(report.video.layers).toEqual([0, 1, 2])
    expect(report.video.framesDecoded).toBeGreaterThanOrEqual(20)
    await own.close()
  })
})

describe('media pipeline in Chromium', () => {
  it('decodes video of all layers, although enhancement datagrams are lost', async () => {
    const report = await reportWhen((r) => r.video.framesDecoded >= 60 && r.droppedDatagrams >= 3)
    expect(report.errors).toEqual([])
    expect(pageErrors).toEqual([])
    expect(report.video.framesDecoded).toBeGreaterThanOrEqual(60)
    expect(report.video.layers).toEqual([0, 1, 2])
    expect(report.layers).toMatch(/^K/)
    expect(report.droppedDatagrams).toBeGreaterThanOrEqual(3)
    const { lost, incomplete } = report.assembler.dropped
    expect(lost + incomplete).toBeGreaterThanOrEqual(1)
    // Only enhancement was lost: the base goes on, and nothing asks for a key frame.
    expect(report.keyFrameRequests).toBe(0)
    expect(report.largestDatagramPayload).toBeLessThan(1150)
    expect(report.pictureAgeMs).toBeGreaterThan(-50)
    expect(report.pictureAgeMs).toBeLessThan(1000)
  })

  it('shows a picture that is not black and moves', async () => {
    const first = await page.evaluate(() => mediaLoop.picture())
    expect([first.width, first.height]).toEqual([640, 360])
    expect(first.mean).toBeGreaterThan(10)
    expect(first.spread).toBeGreaterThan(10)
    await page.waitForFunction((hash) => mediaLoop.picture().hash !== hash, first.hash)
  })

  it('carries sound from the microphone to the worklet', async () => {
    const report = await reportWhen((r) => r.audio.framesDecoded >= 100 && r.audio.outputLevel > 0)
    expect(report.audio.inputLevel).toBeGreaterThan(0.001)
    expect(report.audio.outputLevel).toBeGreaterThan(0.001)
    expect(report.audio.encoded - report.audio.framesDecoded).toBeLessThan(20)
    // The fake microphone skips where the machine is busy, which the mean would show and the median does not.
    const { timestamps } = report.audio
    const spacings = timestamps.slice(1).map((at, i) => at - timestamps[i]!)
    spacings.sort((a, b) => a - b)
    const medianMs = spacings[spacings.length >> 1]! / 1000
    expect(medianMs).toBeGreaterThan(18)
    expect(medianMs).toBeLessThan(22)
    await page.waitForFunction(() => mediaLoop.page().playout !== null)
    const { audioState, playout } = await page.evaluate(() => mediaLoop.page())
    expect(audioState).toBe('running')
    expect(playout!.bufferedMs).toBeLessThan(400)
  })

  it('makes a key frame, and with it a group, on request', async () => {
    const before = await reportWhen(() => true)
    await page.evaluate(() => mediaLoop.command('key-frame'))
    const after = await reportWhen((r) => r.encoder.keyFrames > before.encoder.keyFrames)
    expect(after.encoder.keyFrames).toBe(before.encoder.keyFrames + 1)
    expect(after.errors).toEqual([])
  })

  it('goes on through a change of bitrate', async () => {
    const before = await reportWhen(() => true)
    await page.evaluate(() => mediaLoop.command({ bitrate: 150_000 }))
    const after = await reportWhen((r) => r.video.framesDecoded > before.video.framesDecoded + 20)
    expect(after.video.framesDecoded).toBeGreaterThan(before.video.framesDecoded + 20)
    expect(after.errors).toEqual([])
  })

  it('sends nothing while muted, and comes back with a key frame', async () => {
    await page.evaluate(() => mediaLoop.command({ muted: true }))
    await page.waitForTimeout(200)
    const before = await reportWhen(() => true)
    await page.waitForTimeout(500)
    const muted = await reportWhen(() => true)
    expect(muted.encoder.encoded).toBe(before.encoder.encoded)
    expect(muted.audio.encoded).toBe(before.audio.encoded)
    await page.evaluate(() => mediaLoop.command({ muted: false }))
    const after = await reportWhen(
      (r) =>
        r.video.framesDecoded > muted.video.framesDecoded + 5 &&
        r.audio.framesDecoded > muted.audio.framesDecoded + 5,
    )
    expect(after.layers.slice(muted.layers.length)).toMatch(/^K/)
    expect(after.video.framesDecoded).toBeGreaterThan(muted.video.framesDecoded + 5)
    expect(after.audio.framesDecoded).toBeGreaterThan(muted.audio.framesDecoded + 5)
    expect(after.errors).toEqual([])
  })
})
