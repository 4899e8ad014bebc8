/**
 * Calls from browsers that cannot read tracks: real Chromium from which the feature was taken before the
 * page came, so that it goes the ways that are written for others. The relay and the other caller are real.
 */

import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildApp } from '../scripts/build-app.ts'
import { Caller, others, track } from './support/call-page.ts'
import { launchChromium } from './support/chromium.ts'
import { type RelayProcess, startRelay } from './support/relay-process.ts'

/** The page counts the pictures that it makes, closes, and gives to the worker. */
declare global {
  var pictures: { made: number; closed: number; given: number } | undefined
}

let relay: RelayProcess
let browser: Browser
let plain: Caller

beforeAll(async () => {
  await buildApp({ quiet: true })
  relay = await startRelay(['--engine', 'quiche'])
  browser = await launchChromium()
  const query = { room: 'ways', name: 'plain', autojoin: '1' }
  plain = await Caller.open(browser, relay.urls.web, query)
})

afterAll(async () => {
  await browser?.close()
  await relay?.stop()
})

/** Joins as a person does: by a press, which also lets the page play and record. */
async function join(name: string, features: readonly string[]): Promise<Caller> {
  const context = await browser.newContext({ viewport: { width: 960, height: 640 } })
  await context.addInitScript((missing) => {
    for (const path of missing) {
      const names = path.split('.')
      const last = names.pop()!
      let owner: object = globalThis
      for (const one of names) owner = Reflect.get(owner, one) as object
      Reflect.deleteProperty(owner, last)
    }
    const count = { made: 0, closed: 0, given: 0 }
    globalThis.pictures = count
    globalThis.VideoFrame = new Proxy(VideoFrame, {
      construct(frame, args) {
        count.made++
        return Reflect.construct(frame, args)
      },
    })
    const { close } = VideoFrame.prototype
    VideoFrame.prototype.close = function closeCounted(this: VideoFrame) {
      count.closed++
      close.call(this)
    }
    const { postMessage } = MessagePort.prototype
    MessagePort.prototype.postMessage = function postCounted(
      this: MessagePort,
      ...args: [unknown, (Transferable[] | StructuredSerializeOptions)?]
    ) {
      if (args[0] instanceof VideoFrame) count.given++
      Reflect.apply(postMessage, this, args)
    }
  }, features)
  const caller = await Caller.in(context, relay.urls.web, { room: 'ways', name })
  await caller.page.click('#join')
  return caller
}

describe.each([
  { way: 'a video element', missing: ['MediaStreamTrackProcessor'] },
  {
    way: 'a canvas',
    missing: ['MediaStreamTrackProcessor', 'HTMLVideoElement.prototype.requestVideoFrameCallback'],
  },
])('a camera that is read by $way, and a microphone by a worklet', ({ missing }) => {
  let caller: Caller

  beforeAll(async () => {
    caller = await join(`without ${missing.length}`, missing)
  })

  afterAll(async () => {
    await caller.leave()
    await caller.close()
    await plain.until('alone', (now) => others(now).length === 0)
  })

  it('is seen by the other, in motion', async () => {
    const snapshot = await plain.until(
      'the picture of the other',
      (now) => (track(others(now)[0], 'video')?.framesDecoded ?? 0) > 20,
    )
    const [{ id } = { id: '' }] = others(snapshot)
    await expect.poll(async () => (await plain.picture(id)).width).toBeGreaterThan(0)
    const first = await plain.picture(id)
    // The fake camera paints a green field.
    const [red, green, blue] = first.mean
    expect(green).toBeGreaterThan(2 * Math.max(red, blue))
    await expect.poll(async () => (await plain.picture(id)).hash).not.toBe(first.hash)
  })

  it('is heard by the other', async () => {
    // The fake microphone beeps about once a second.
    const snapshot = await plain.until('sound above silence', (now) => {
      return (track(others(now)[0], 'audio')?.audioLevel ?? 0) > 0.01
    })
    expect(track(others(snapshot)[0], 'audio')!.decryptFailures).toBe(0)
  })

  it('is seen by the caller too, and goes off and on', async () => {
    const { self } = await caller.snapshot()
    const first = await caller.picture(self)
    expect(first.width).toBeGreaterThan(0)
    await expect.poll(async () => (await caller.picture(self)).hash).not.toBe(first.hash)
    await caller.page.click('#camera')
    await plain.until('off', (now) => track(others(now)[0], 'video')?.muted === true)
    const before = track(others(await plain.snapshot())[0], 'video')!.framesDecoded
    await caller.page.click('#camera')
    await plain.until('on', (now) => {
      const video = track(others(now)[0], 'video')
      return video?.muted === false && video.framesDecoded > before + 10
    })
    expect(caller.errors).toEqual([])
  })

  it('leaves no picture open but for those that are under way', async () => {
    const { made, closed, given } = await caller.page.evaluate(() => globalThis.pictures!)
    expect(given).toBeGreaterThan(20)
    expect(made - closed - given).toBeLessThanOrEqual(4)
  })
})
