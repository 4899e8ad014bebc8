/**
 * A call that grows to ten: two pages with Chromium's camera and microphone, and eight that cost little:
 * two of them have painted cameras of two pictures a second, the others none, and nobody a microphone.
 * All ten are real members, in pages of their own; X-Wing is left out, to be quick. How it looks is kept
 * in `test-artifacts/`.
 */

import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Snapshot } from '../client-lib/index.ts'
import { buildApp } from '../scripts/build-app.ts'
import { DESKTOP, keepLooks } from './support/artefacts.ts'
import { Caller, others, track } from './support/call-page.ts'
import { launchChromium } from './support/chromium.ts'
import { auditPage } from './support/page-audit.ts'
import { paintCamera } from './support/painted-camera.ts'
import { type RelayProcess, startRelay } from './support/relay-process.ts'

const CROWD = [
  'Chiara',
  'Dmitri Ivanovich Vasiliev-Kuznetsov',
  'Eszter Nagy',
  'Farid',
  'Grace Okafor',
  'Hye-jin',
  'Ines',
  'João',
]
/** Who of them can be seen. */
const SEEN = CROWD.slice(0, 2)
/** Loose: ten pages share a machine. */
const PATIENCE_MS = 40_000

let relay: RelayProcess
let browser: Browser
let ann: Caller
let bob: Caller
const crowd: Caller[] = []

beforeAll(async () => {
  await buildApp({ quiet: true })
  relay = await startRelay(['--engine', 'quiche'])
  // Ten pages share a machine: the two cameras give ten pictures a second.
  browser = await launchChromium(['--use-fake-device-for-media-stream=fps=10'])
})

afterAll(async () => {
  await browser?.close()
  await relay?.stop()
})

const query = (name: string) => ({ room: 'crowd', name, suite: 'classical', autojoin: '1' })

async function come(...names: string[]): Promise<void> {
  for (const name of names) {
    const context = await browser.newContext({ viewport: { width: 240, height: 260 } })
    await paintCamera(context, { hue: (CROWD.indexOf(name) * 83) % 360, framerate: 2 })
    const media = { audio: '0', video: SEEN.includes(name) ? '1' : '0' }
    crowd.push(await Caller.in(context, relay.urls.web, { ...query(name), ...media }))
  }
}

/** Each is in the call, and each of the two pages shows everybody, and the pictures of those who have a camera. */
async function expectAllSeen(): Promise<void> {
  for (const caller of crowd) {
    await caller.until('in the call', ({ epoch }) => epoch > 0, PATIENCE_MS)
  }
  const count = crowd.length + 1
  const areSeen = (snapshot: Snapshot) => {
    const theirs = others(snapshot)
    const seen = theirs.filter((one) => (track(one, 'video')?.framesDecoded ?? 0) > 0)
    const isNamed = theirs.every(({ name }) => name !== '')
    return isNamed && theirs.length === count && seen.length === 1 + SEEN.length
  }
  for (const caller of [ann, bob]) {
    await caller.until(`${count} others`, areSeen, PATIENCE_MS)
  }
}

async function keep(name: string): Promise<void> {
  await keepLooks(ann.page, name, async (which) => {
    expect(await auditPage(ann.page), which).toEqual([])
  })
}

function sameNames({ roster }: Snapshot, names: readonly string[]): boolean {
  const shown = roster.map(({ name }) => name).sort()
  return shown.join() === names.join()
}

describe('a call that grows to ten', { timeout: 120_000 }, () => {
  it('is of four', async () => {
    const open = async (name: string, media = {}) => {
      const context = await browser.newContext({ viewport: DESKTOP })
      return Caller.in(context, relay.urls.web, { ...query(name), ...media })
    }
    ann = await open('Ann Berg')
    await ann.until('in the call', ({ state }) => state === 'connected')
    bob = await open('Bob')
    await come(...CROWD.slice(0, 2))
    await expectAllSeen()
    await keep('four people')
  })

  it('is of nine', async () => {
    await come(...CROWD.slice(2, 7))
    await expectAllSeen()
    await keep('nine people')
    await ann.page.keyboard.press('l')
    await keep('nine people, speaker large')
    await ann.page.keyboard.press('l')
  })

  it('is of ten, who all have the same keys and are all seen', async () => {
    await come(...CROWD.slice(7))
    await expectAllSeen()
    const all = [ann, bob, ...crowd]
    const { epoch } = await ann.snapshot()
    const names = all.map(({ name }) => name).sort()
    const codes = new Set<string>()
    for (const caller of all) {
      // On a slow machine one may confirm its keys late, of which the others are told for a while.
      const { verificationCode } = await caller.until(
        'the names of all who have the keys, and no alarm that stays',
        (now) =>
          now.epoch >= epoch &&
          sameNames(now, names) &&
          now.participants.every(({ alarms }) => alarms.length === 0),
        PATIENCE_MS,
      )
      codes.add(verificationCode)
    }
    expect(codes.size).toBe(1)
    expect(await ann.page.locator('.tile:visible').count()).toBe(10)
    await ann.until('the sound of Bob', (snapshot) => {
      const them = others(snapshot).find(({ name }) => name === 'Bob')
      return (track(them, 'audio')?.audioLevel ?? 0) > 0.01
    })
    for (const { name, decryptFailures } of others(await ann.snapshot()).flatMap((p) => p.tracks)) {
      expect([name, decryptFailures]).toEqual([name, 0])
    }
  })

  it('loses one who closes the tab, and the others stay where they were', async () => {
    const places = () =>
      ann.page.locator('.tile:visible').evaluateAll((tiles) => {
        const named = tiles.map((tile) => {
          const { x, y } = tile.getBoundingClientRect()
          return { name: tile.querySelector('.name')!.textContent, at: y * 10_000 + x }
        })
        return named.sort((a, b) => a.at - b.at).map(({ name }) => name)
      })
    const before = await places()
    await crowd.at(-1)!.page.close()
    await ann.until('one fewer', (snapshot) => others(snapshot).length === 8)
    await expect.poll(places).toEqual(before.filter((name) => name !== 'João'))
    expect([...ann.errors, ...bob.errors]).toEqual([])
  })
})
