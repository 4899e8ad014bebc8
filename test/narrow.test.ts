/**
 * A call in which one receiver sits behind a narrow path: real Chromium, the relay, and a network in
 * user space between them. Layers go and come back, and sound goes on. What the
 * receiver and the operator see is kept in `test-artifacts/`.
 */

import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Shaper } from '../bench/net/shaper.ts'
import type { Snapshot } from '../client-lib/index.ts'
import { buildApp } from '../scripts/build-app.ts'
import { keepPicture } from './support/artefacts.ts'
import { Caller, others, track } from './support/call-page.ts'
import { launchChromium } from './support/chromium.ts'
import { type RelayProcess, startRelay } from './support/relay-process.ts'

/** Above what the sender's picture takes in the size that is shown, and far below it; bits/s. */
const WIDE = { rate: 20_000_000, delayMs: 10, queueBytes: 64_000 }
const NARROW = { rate: 300_000, delayMs: 10, queueBytes: 32_000 }
/** Sound and little more than the base of the smallest picture fit. */
const TINY = { rate: 180_000, delayMs: 10, queueBytes: 32_000 }

const video = (snapshot: Snapshot) => track(others(snapshot)[0], 'video')
const audio = (snapshot: Snapshot) => track(others(snapshot)[0], 'audio')

describe('a call with a receiver behind a narrow path', () => {
  let relay: RelayProcess
  let shaper: Shaper
  let browser: Browser
  let near: Caller
  let far: Caller

  beforeAll(async () => {
    await buildApp({ quiet: true })
    relay = await startRelay(['--engine', 'quiche'])
    shaper = await Shaper.start({
      to: { host: '127.0.0.1', port: Number(new URL(relay.urls.relay).port) },
      down: WIDE,
    })
    browser = await launchChromium()
    near = await Caller.open(browser, relay.urls.web, {
      room: 'narrow',
      name: 'near',
      autojoin: '1',
    })
    far = await Caller.behind(browser, relay.urls.web, shaper.port, {
      room: 'narrow',
      name: 'far',
      video: '0',
      autojoin: '1',
    })
  })

  afterAll(async () => {
    await browser?.close()
    await shaper?.close()
    await relay?.stop()
  })

  /** How the relay serves `far`, as an operator sees it. */
  async function served() {
    const view = await (await fetch(`${relay.urls.ops}/debug.json?room=narrow`)).json()
    const { self } = await far.snapshot()
    const [id] = self.split('-')
    return view.subscribers.find(({ participants }: { participants: string[] }) =>
      participants.some((name) => name.includes(id!)),
    )
  }

  async function tell(when: string): Promise<void> {
    const { receiver, path } = await served()
    const [picture] = receiver.pictures
    const { rendition, temporalLayers } = picture
    const kilobits = Math.round(path.budget.bitsPerSecond / 1000)
    process.stdout.write(
      `${when}: rendition ${rendition} with ${temporalLayers} layers, budget ${kilobits} kbit/s, ` +
        `queue ${path.budget.queueMs} ms\n`,
    )
    await keepPicture(far.page, `narrow ${when}`)
    const debug = await browser.newPage()
    await debug.goto(`${relay.urls.ops}/debug?room=narrow`)
    await keepPicture(debug, `narrow ${when}, debug`, { fullPage: true })
    await debug.close()
  }

  it('gets the size that it shows while the path is wide', async () => {
    await far.until('a large picture with all layers', (snapshot) => {
      const { rendition = null, temporalLayers = null } = video(snapshot) ?? {}
      return rendition !== null && rendition >= 1 && temporalLayers === 3
    })
    await tell('wide')
  })

  it('gets a smaller one when the path narrows, and its sound goes on', async () => {
    await far.watchGaps(others(await far.snapshot())[0]!.id)
    shaper.change({ down: NARROW })
    await far.until('the smallest rendition', (snapshot) => video(snapshot)?.rendition === 0)
    await tell('300 kbit/s')
    shaper.change({ down: TINY })
    await far.page.waitForTimeout(3000)
    await far.until('fewer layers', (snapshot) => {
      const { temporalLayers = null } = video(snapshot) ?? {}
      return temporalLayers !== null && temporalLayers < 3
    })
    await tell('180 kbit/s')
    const gaps = await far.gaps()
    process.stdout.write(`longest gap of sound ${Math.round(gaps.audio ?? -1)} ms\n`)
    // Loose: a queue of 32 kB is 0.9 s at 300 kbit/s; the exact figure is printed.
    expect(gaps.audio).toBeLessThan(3000)
    const before = audio(await far.snapshot())!.framesDecoded
    await far.until('sound', (snapshot) => (audio(snapshot)?.framesDecoded ?? 0) > before + 50)
  })

  it('gets the large one again when the path is wide again', async () => {
    const since = Date.now()
    shaper.change({ down: WIDE })
    await far.until(
      'the large picture with all layers',
      (snapshot) => {
        const { rendition = null, temporalLayers = null } = video(snapshot) ?? {}
        return rendition !== null && rendition >= 1 && temporalLayers === 3
      },
      30_000,
    )
    process.stdout.write(`large again after ${Date.now() - since} ms\n`)
    await tell('wide again')
  })

  it('could decrypt all that it was sent', async () => {
    const snapshot = await far.snapshot()
    for (const { name, decryptFailures } of others(snapshot)[0]!.tracks) {
      expect([name, decryptFailures]).toEqual([name, 0])
    }
    expect(snapshot.error).toBeNull()
    expect([...near.errors, ...far.errors]).toEqual([])
  })
})
