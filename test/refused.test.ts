/**
 * What a person is told whose devices or browser will not do, and the way that is offered: real Chromium
 * and relay; an error of the browser is put in the place of the device, a feature is taken away.
 */

import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildApp } from '../scripts/build-app.ts'
import { DESKTOP, keepLooks } from './support/artefacts.ts'
import { Caller } from './support/call-page.ts'
import { launchChromium } from './support/chromium.ts'
import { auditPage } from './support/page-audit.ts'
import { allowDevices, type Refused, refuseDevices } from './support/refused-devices.ts'
import { type RelayProcess, startRelay } from './support/relay-process.ts'

let relay: RelayProcess
let browser: Browser

beforeAll(async () => {
  await buildApp({ quiet: true })
  relay = await startRelay(['--engine', 'quiche'])
  browser = await launchChromium()
})

afterAll(async () => {
  await browser?.close()
  await relay?.stop()
})

async function open(refused: Refused, query: Record<string, string> = {}): Promise<Caller> {
  const context = await browser.newContext({ viewport: DESKTOP })
  await refuseDevices(context, refused)
  const who = { room: 'refused', name: 'Ann', suite: 'classical' }
  return Caller.in(context, relay.urls.web, { ...who, ...query })
}

/** Kinds of what the caller sends. */
async function untilSent(caller: Caller, kinds: string): Promise<void> {
  await caller.until(`sends ${kinds || 'nothing'}`, ({ state, participants }) => {
    const own = participants.find(({ local }) => local)
    const sent = new Set(own?.tracks.filter(({ muted }) => !muted).map(({ kind }) => kind))
    return state === 'connected' && [...sent].sort().join() === kinds
  })
}

describe('devices that cannot be had', () => {
  it.each([
    ['are not allowed', 'NotAllowedError', /not allowed.*Allow/i],
    ['are in use by another program', 'NotReadableError', /could not be started.*Close/i],
    ['do not exist', 'NotFoundError', /no .*found.*Connect/i],
  ])('let the person into the call, say what to do, and are tried again: they %s', async (_, name, advice) => {
    const caller = await open({ audio: name, video: name }, { autojoin: '1' })
    const { page } = caller
    await untilSent(caller, '')
    await expect.poll(() => page.innerText('#banner')).toMatch(advice)
    expect(await page.getAttribute('#mic', 'aria-pressed')).toBe('false')
    expect(await page.getAttribute('#camera', 'aria-pressed')).toBe('false')
    if (name === 'NotAllowedError') {
      await keepLooks(page, 'devices not allowed', async (which) => {
        expect(await auditPage(page), which).toEqual([])
      })
    }
    await allowDevices(page)
    await page.getByRole('button', { name: 'Try again' }).click()
    await untilSent(caller, 'audio,video')
    expect(await page.innerText('#banner')).not.toMatch(advice)
    expect(caller.errors).toEqual([])
    await caller.close()
  })

  it('keep nobody who has one of two from being heard or seen', async () => {
    const caller = await open({ video: 'NotFoundError' }, { autojoin: '1' })
    await untilSent(caller, 'audio')
    await expect.poll(() => caller.page.innerText('#banner')).toMatch(/camera.*found.*Connect/i)
    expect(await caller.page.getAttribute('#mic', 'aria-pressed')).toBe('true')
    await caller.page.getByRole('button', { name: 'Go on without' }).click()
    await expect.poll(() => caller.page.innerText('#banner')).toBe('Nobody else is here yet.')
    await caller.close()
  })

  it('are told of beside the form, and tried again there', async () => {
    const caller = await open({ audio: 'NotAllowedError', video: 'NotAllowedError' })
    const { page } = caller
    await page.click('#preview')
    await expect.poll(() => page.innerText('#device-problem')).toMatch(/not allowed.*address bar/)
    expect(await page.innerText('#preview')).toBe('Try again')
    await keepLooks(page, 'form, devices not allowed', async (which) => {
      expect(await auditPage(page), which).toEqual([])
    })
    await allowDevices(page)
    await page.click('#preview')
    await page.waitForSelector('#preview-picture:not([hidden])')
    expect(await page.locator('#device-problem').isHidden()).toBe(true)
    await caller.close()
  })
})

describe('a browser that is too old', () => {
  it.each([
    ['VideoEncoder', /video encoding \(WebCodecs\)/],
    ['AudioWorkletNode', /audio worklets/],
  ])('is told by name that it has no %s', async (feature, named) => {
    const context = await browser.newContext({ viewport: DESKTOP })
    await context.addInitScript((name) => Reflect.deleteProperty(globalThis, name), feature)
    const query = { room: 'old', name: 'Ann', autojoin: '1' }
    const caller = await Caller.in(context, relay.urls.web, query)
    const { error } = await caller.until('failed', ({ state }) => state === 'failed')
    expect(error?.code).toBe('browser-too-old')
    await expect.poll(() => caller.page.innerText('#ending-text')).toMatch(named)
    expect(await caller.page.innerText('#ending-text')).toMatch(/Update|another/)
    await caller.close()
  })
})
