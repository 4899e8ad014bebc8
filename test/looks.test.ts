/**
 * What a person sees, kept as pictures in `test-artifacts/`: the form, the call, its panels and dialogs,
 * and its end, on a desktop and on a telephone, in light and dark; each is audited. Real Chromium, relay
 * and keys; the cameras are painted, and what raises the alarm is made up.
 */

import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildApp } from '../scripts/build-app.ts'
import { DESKTOP, keepLooks } from './support/artefacts.ts'
import { Caller, others, track } from './support/call-page.ts'
import { launchChromium } from './support/chromium.ts'
import { auditPage } from './support/page-audit.ts'
import { paintCamera } from './support/painted-camera.ts'
import { type RelayProcess, startRelay } from './support/relay-process.ts'

let relay: RelayProcess
let browser: Browser
let ann: Caller
let bao: Caller

beforeAll(async () => {
  await buildApp({ quiet: true })
  relay = await startRelay(['--engine', 'quiche'])
  browser = await launchChromium()
})

afterAll(async () => {
  await browser?.close()
  await relay?.stop()
})

async function open(name: string, hue: number, query: Record<string, string> = {}) {
  const context = await browser.newContext({ viewport: DESKTOP })
  await paintCamera(context, { hue })
  return Caller.in(context, relay.urls.web, {
    room: 'team call',
    name,
    suite: 'classical',
    ...query,
  })
}

async function keep(name: string): Promise<void> {
  await keepLooks(ann.page, name, async (which) => {
    expect(await auditPage(ann.page), which).toEqual([])
  })
}

async function keepWith(key: string, name: string): Promise<void> {
  await ann.page.keyboard.press(key)
  await keep(name)
  await ann.page.keyboard.press('Escape')
}

describe('the looks of the page', { timeout: 90_000 }, () => {
  it('before the call: the form, and one’s own picture', async () => {
    ann = await open('Ann Berg', 190)
    await keep('form')
    await ann.page.click('#preview')
    await ann.page.waitForSelector('#preview-picture:not([hidden])')
    await keep('form with preview')
  })

  it('in the call: alone, and with somebody', async () => {
    await ann.page.click('#join')
    await ann.until('in the call', ({ state }) => state === 'connected')
    await keep('alone')
    bao = await open('Bao Tran', 273, { autojoin: '1', audio: '0' })
    await ann.until('their picture', (snapshot) => {
      return (track(others(snapshot)[0], 'video')?.framesDecoded ?? 0) > 0
    })
    await keep('two people')
  })

  it('the chat', async () => {
    await bao.page.evaluate(() => globalThis.sotto!.call!.sendChat('Hi Ann, can you hear me?'))
    await ann.page.waitForSelector('#chat-badge:not([hidden])')
    await keep('unread text')
    await ann.page.click('#chat-button')
    const notes = 'https://example.org/notes/2026-11-21/an-address-so-long-that-it-has-to-be-broken'
    for (const text of [`Loud and clear. The notes are at ${notes}`, 'Shall we start?']) {
      await ann.page.fill('#chat-input', text)
      await ann.page.keyboard.press('Enter')
    }
    await ann.page.getByText('Delivered').nth(1).waitFor()
    await keep('chat')
    await ann.page.keyboard.press('Escape')
  })

  it('panels, menu and dialogs', async () => {
    await keepWith('p', 'list of people')
    await ann.page.focus('#more')
    await keepWith('Enter', 'menu')
    await keepWith('e', 'verification')
    await keepWith('g', 'statistics')
    await keepWith('i', 'invitation')
    await keepWith('?', 'keyboard shortcuts')
  })

  it('a shared screen, for who looks and for who shares', async () => {
    await bao.page.keyboard.press('s')
    await ann.page.locator('[data-screen-of].pictured').waitFor()
    await keep('shared screen')
    await bao.page.keyboard.press('s')
    await ann.page.keyboard.press('s')
    await ann.page.waitForSelector('#screen[aria-pressed="true"]')
    await keep('sharing one’s own screen')
    await ann.page.keyboard.press('s')
  })

  it('an alarm', async () => {
    await ann.page.evaluate(() => {
      const { call } = globalThis.sotto!
      const real = call!.snapshot.bind(call)
      const alarm = 'Has other keys than you: somebody may be listening.'
      call!.snapshot = () => {
        const snapshot = real()
        const participants = snapshot.participants.map((one) =>
          one.local ? one : { ...one, alarms: [alarm] },
        )
        return { ...snapshot, participants }
      }
    })
    await ann.page.waitForSelector('#padlock[data-trust="broken"]')
    await keep('alarm')
    await keepWith('e', 'alarm, opened')
  })

  it('after the call', async () => {
    await ann.page.click('#leave')
    await keep('left')
    expect(ann.errors).toEqual([])
  })
})
