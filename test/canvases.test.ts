/**
 * Real parts: the relay with its call page, and Chromium. Who draws which canvas: the painter, or the page
 * itself where the painter cannot; and a canvas that shows one after the other.
 */

import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildApp } from '../scripts/build-app.ts'
import { Caller, others, received } from './support/call-page.ts'
import { launchChromium } from './support/chromium.ts'
import { type RelayProcess, startRelay } from './support/relay-process.ts'

declare global {
  var shown: { canvas: HTMLCanvasElement; detach: () => void } | undefined
  var drawings: number | undefined
}

let relay: RelayProcess
let browser: Browser
let ann: Caller
let bob: Caller

beforeAll(async () => {
  await buildApp({ quiet: true })
  relay = await startRelay(['--engine', 'quiche'])
  browser = await launchChromium()
  ann = await open('Ann', countDrawing)
  bob = await open('Bob', countDrawing, keepCanvases)
})

afterAll(async () => {
  await browser?.close()
  await relay?.stop()
})

async function open(name: string, ...scripts: (() => void)[]): Promise<Caller> {
  const context = await browser.newContext({ viewport: { width: 960, height: 640 } })
  for (const script of scripts) await context.addInitScript(script)
  return Caller.in(context, relay.urls.web, { room: 'canvases', name, autojoin: '1' })
}

/** Counts pictures that the page's own thread draws. */
function countDrawing(): void {
  globalThis.drawings = 0
  const { drawImage } = CanvasRenderingContext2D.prototype
  CanvasRenderingContext2D.prototype.drawImage = function (...args: unknown[]) {
    if (args[0] instanceof VideoFrame) globalThis.drawings!++
    Reflect.apply(drawImage, this, args)
  }
}

/** As in a browser that hands no canvas over. */
function keepCanvases(): void {
  Reflect.deleteProperty(HTMLCanvasElement.prototype, 'transferControlToOffscreen')
}

/** Attaches the page's extra canvas, which a first call makes. @param whom index among the others; -1: self */
async function show(caller: Caller, whom: number, withContext = false): Promise<void> {
  await caller.page.evaluate(
    ([at, hasContext]) => {
      const call = globalThis.sotto!.call!
      const strangers = call.participants.filter(({ local }) => !local)
      const id = at < 0 ? call.self : strangers[at]!.id
      globalThis.shown?.detach()
      const canvas = globalThis.shown?.canvas ?? document.createElement('canvas')
      if (hasContext) canvas.getContext('2d')
      globalThis.shown = { canvas, detach: call.attachVideo(id, canvas) }
    },
    [whom, withContext] as const,
  )
}

/** Of the extra canvas: green is what fake cameras show, and the hash changes as they move. */
async function look(caller: Caller) {
  return caller.page.evaluate(() => {
    const copy = new OffscreenCanvas(64, 36).getContext('2d')!
    copy.drawImage(globalThis.shown!.canvas, 0, 0, 64, 36)
    const { data } = copy.getImageData(0, 0, 64, 36)
    return { isGreen: data[1]! > 20 && data[0]! < data[1]!, hash: data.join() }
  })
}

async function expectMoving(caller: Caller): Promise<void> {
  await expect.poll(async () => (await look(caller)).isGreen, { timeout: 20_000 }).toBe(true)
  const { hash } = await look(caller)
  await expect.poll(async () => (await look(caller)).hash, { timeout: 10_000 }).not.toBe(hash)
}

const drawnByPage = (caller: Caller) => caller.page.evaluate(() => globalThis.drawings!)

describe('canvases', () => {
  it('are drawn off the page’s own thread where a browser hands them over, and else by the page', async () => {
    for (const caller of [ann, bob]) {
      await caller.until('a picture of the other', (snapshot) => {
        const { firstPicture } = snapshot.joinMs
        return firstPicture !== null && received(snapshot).some(({ avSkewMs }) => avSkewMs != null)
      })
      const { id } = others(await caller.snapshot())[0]!
      await expect
        .poll(async () => (await caller.picture(id)).mean[1], { timeout: 10_000 })
        .toBeGreaterThan(20)
    }
    expect(await drawnByPage(ann)).toBe(0)
    expect(await drawnByPage(bob)).toBeGreaterThan(0)
  })

  it('show one after the other, the same one too, and ourselves', async () => {
    for (const whom of [0, 0, -1, 0]) {
      await show(ann, whom)
      await expectMoving(ann)
    }
    expect(await drawnByPage(ann)).toBe(0)
  })

  it('show nothing new once they are let go of', async () => {
    await ann.page.evaluate(() => globalThis.shown!.detach())
    await ann.page.waitForTimeout(300)
    const { hash } = await look(ann)
    await ann.page.waitForTimeout(500)
    expect((await look(ann)).hash).toBe(hash)
  })

  it('can be used again in the next call', async () => {
    await ann.leave()
    await ann.page.click('#again')
    await ann.until('the other again', (snapshot) => received(snapshot).length === 2)
    await show(ann, 0)
    await expectMoving(ann)
    expect(await drawnByPage(ann)).toBe(0)
  })

  it('that have a context stay the page’s, and are drawn by it', async () => {
    await ann.page.evaluate(() => {
      globalThis.shown!.detach()
      globalThis.shown = undefined
    })
    await show(ann, 0, true)
    await expectMoving(ann)
    expect(await drawnByPage(ann)).toBeGreaterThan(0)
    expect(ann.errors).toEqual([])
    expect(bob.errors).toEqual([])
  })
})
