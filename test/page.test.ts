/**
 * The call page in real Chromium, as two people use it: chat, people, layouts, a shared screen, figures,
 * keys, and what the page is for those who do not see it or have a telephone. They have no cameras, so
 * that a busy machine has time for what is tested.
 */

import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildApp } from '../scripts/build-app.ts'
import { Caller, others } from './support/call-page.ts'
import { launchChromium } from './support/chromium.ts'
import { auditPage } from './support/page-audit.ts'
import { type RelayProcess, startRelay } from './support/relay-process.ts'

let relay: RelayProcess
let browser: Browser
let ann: Caller
let bob: Caller
/** Addresses that Ann's page asked for. */
const requested: string[] = []

beforeAll(async () => {
  await buildApp({ quiet: true })
  relay = await startRelay(['--engine', 'quiche'])
  browser = await launchChromium()
  const query = { room: 'page', video: '0', autojoin: '1' }
  ann = await Caller.open(browser, relay.urls.web, { room: 'page', video: '0', name: 'Ann' })
  ann.page.on('request', (request) => requested.push(request.url()))
  expect(await auditPage(ann.page)).toEqual([])
  await ann.page.click('#preview')
  await ann.page.waitForSelector('#microphone-choice')
  await ann.page.waitForFunction(() => document.querySelector('meter')!.value > 0)
  expect(await auditPage(ann.page)).toEqual([])
  await ann.page.selectOption('#microphone-choice', { index: 1 })
  await ann.page.click('#join')
  bob = await Caller.open(browser, relay.urls.web, { ...query, name: 'Bob' })
  for (const caller of [ann, bob]) {
    await caller.until('the other, by name', (snapshot) =>
      others(snapshot).some(({ name }) => name !== ''),
    )
  }
})

afterAll(async () => {
  await browser?.close()
  await relay?.stop()
})

/** Device-independent pixels that a tile takes. */
async function areaOf(page: Page, selector: string): Promise<number> {
  const box = await page.locator(selector).boundingBox()
  return box ? box.width * box.height : 0
}

function focusedId(page: Page): Promise<string> {
  return page.evaluate(() => document.activeElement?.id ?? '')
}

describe('the chat', () => {
  it('counts what is unread, shows texts as text, and says how far ours have come', async () => {
    await bob.page.keyboard.press('c')
    expect(await focusedId(bob.page)).toBe('chat-input')
    await bob.page.keyboard.type('<b>cm</b> ?')
    await bob.page.keyboard.press('Enter')
    await ann.page.waitForSelector('#chat-badge:not([hidden])')
    expect(await ann.page.locator('#chat-badge').innerText()).toBe('1')
    expect(await ann.page.getAttribute('#chat-button', 'aria-label')).toBe('Chat, 1 unread')
    await ann.page.click('#chat-button')
    expect(await ann.page.locator('#chat-list .text').allInnerTexts()).toEqual(['<b>cm</b> ?'])
    expect(await ann.page.locator('#chat-list b').count()).toBe(0)
    expect(await ann.page.locator('#chat-badge').isHidden()).toBe(true)
    await bob.page.waitForFunction(
      () => document.querySelector('#chat-list .delivery')?.textContent === 'Delivered',
    )
    expect(await auditPage(ann.page)).toEqual([])
  })

  it('closes with Escape, and the focus goes back to where it came from', async () => {
    await ann.page.keyboard.press('Escape')
    expect(await ann.page.locator('#chat-panel').isHidden()).toBe(true)
    expect(await focusedId(ann.page)).toBe('chat-button')
    await bob.page.keyboard.press('Escape')
  })
})

describe('layout', () => {
  let tileOfBob: string
  const own = '.tile.mirrored'

  beforeAll(async () => {
    const [{ id } = { id: '' }] = others(await ann.snapshot())
    tileOfBob = `[data-participant="${id}"]`
  })

  const bobIsLarge = async () =>
    (await areaOf(ann.page, tileOfBob)) > 2 * (await areaOf(ann.page, own))
  const bothAreAlike = async () =>
    (await areaOf(ann.page, tileOfBob)) === (await areaOf(ann.page, own))

  it('makes whom the person pins large, from the list of people', async () => {
    await expect.poll(bothAreAlike).toBe(true)
    await ann.page.keyboard.press('p')
    const row = ann.page.locator('#people-list li', { hasText: 'Bob' })
    expect(await row.innerText()).toContain('camera off')
    await row.getByRole('button', { name: 'Pin Bob' }).click()
    await expect.poll(bobIsLarge).toBe(true)
    expect(await auditPage(ann.page)).toEqual([])
    await row.getByRole('button', { name: 'Pin Bob' }).click()
    await expect.poll(bothAreAlike).toBe(true)
    await ann.page.keyboard.press('Escape')
  })

  it('shows the speaker large by a key, and all alike by the menu', async () => {
    await ann.page.keyboard.press('l')
    await expect.poll(bobIsLarge).toBe(true)
    await ann.page.click('#more')
    expect(await auditPage(ann.page)).toEqual([])
    await ann.page.getByRole('button', { name: 'Grid view' }).click()
    await expect.poll(bothAreAlike).toBe(true)
  })
})

describe('a shared screen', () => {
  it('is a tile of its own for the other, large, and gone when it ends', async () => {
    await bob.page.keyboard.press('s')
    const tile = ann.page.locator('[data-screen-of]')
    await tile.waitFor()
    expect(await tile.innerText()).toContain('Screen of Bob')
    const widthOfPicture = () =>
      tile.locator('canvas').evaluate((canvas: HTMLCanvasElement) => {
        const shown = canvas.closest('.tile')!.classList.contains('pictured')
        return shown ? canvas.width : 0
      })
    await expect.poll(widthOfPicture, { timeout: 20_000 }).toBeGreaterThan(300)
    expect(await areaOf(ann.page, '[data-screen-of]')).toBeGreaterThan(
      2 * (await areaOf(ann.page, '.tile.mirrored')),
    )
    expect(await bob.page.locator('#banner').innerText()).toBe('You are sharing your screen.')
    expect(await bob.page.getAttribute('#screen', 'aria-pressed')).toBe('true')
    await bob.page.click('#screen')
    await tile.waitFor({ state: 'detached' })
    await bob.page.waitForSelector('#screen[aria-pressed="false"]')
  })
})

describe('figures', () => {
  it('are shown for the call and for each participant, with a line over the last minute', async () => {
    await ann.page.keyboard.press('g')
    const body = ann.page.locator('#statistics-body')
    await expect
      .poll(() => body.locator('h3').allInnerTexts())
      .toEqual(['This call', 'Ann (you)', 'Bob'])
    const ofBob = body.locator('section', { hasText: 'Bob' })
    await expect.poll(() => ofBob.innerText()).toMatch(/Sound[\s\S]*kbit\/s[\s\S]*Not decrypted/)
    await expect.poll(() => ofBob.locator('path').first().getAttribute('d')).toMatch(/^M.+L/)
    expect(await auditPage(ann.page)).toEqual([])
    await ann.page.keyboard.press('g')
    expect(await ann.page.locator('#statistics-panel').isHidden()).toBe(true)
  })
})

describe('the verification panel', () => {
  it('tells what changed in the group and when, the newest first, while it is open, too', async () => {
    const { verificationHistory: before } = await ann.snapshot()
    expect(before.map(({ kind, name }) => `${name} ${kind}`).reverse()).toEqual([
      'Ann created',
      'Bob joined',
    ])
    await ann.page.keyboard.press('e')
    const query = { room: 'page', video: '0', audio: '0', autojoin: '1', name: 'Cyn' }
    const cyn = await Caller.open(browser, relay.urls.web, query)
    const list = ann.page.locator('#change-list')
    await expect
      .poll(() => list.locator('li').first().innerText(), { timeout: 20_000 })
      .toMatch(/^\d+[:.]\d+[\s\S]*Cyn joined and has the keys from now on/)
    expect(await ann.page.locator('#code-news').innerText()).toContain('The code changed.')
    await cyn.leave()
    await expect.poll(() => list.locator('li').first().innerText()).toMatch(/Cyn left/)
    expect(await list.locator('li').last().innerText()).toContain('You opened the room')
    expect(await auditPage(ann.page)).toEqual([])
    expect(await ann.page.locator('#padlock').innerText()).toBe('Encrypted')
    await cyn.close()
    await ann.page.keyboard.press('Escape')
  })
})

describe('keys and dialogs', () => {
  it('turn the microphone off and on, and are letters where a text is written', async () => {
    const isOn = () => ann.page.getAttribute('#mic', 'aria-pressed')
    expect(await isOn()).toBe('true')
    await ann.page.keyboard.press('m')
    expect(await isOn()).toBe('false')
    await ann.page.keyboard.press('c')
    await ann.page.keyboard.type('m')
    expect(await isOn()).toBe('false')
    expect(await ann.page.inputValue('#chat-input')).toBe('m')
    await ann.page.keyboard.press('Escape')
    await ann.page.keyboard.press('m')
    expect(await isOn()).toBe('true')
  })

  it.each([
    ['e', 'verification'],
    ['i', 'invite'],
    ['?', 'help'],
  ])('%s opens the dialog %s, which keeps the focus inside and gives it back', async (key, id) => {
    await ann.page.focus('#leave')
    await ann.page.keyboard.press(key)
    const dialog = ann.page.locator(`#${id}`)
    expect(await dialog.isVisible()).toBe(true)
    expect(await auditPage(ann.page)).toEqual([])
    for (let step = 0; step < 6; step++) {
      await ann.page.keyboard.press('Tab')
      // Between the last and the first control a browser may focus nothing of the page.
      expect(
        await dialog.evaluate(
          (element) =>
            element.contains(document.activeElement) || document.activeElement === document.body,
        ),
      ).toBe(true)
    }
    await ann.page.keyboard.press('Escape')
    expect(await dialog.isHidden()).toBe(true)
    expect(await focusedId(ann.page)).toBe('leave')
  })

  it('show the link, which names the room and nobody', async () => {
    await ann.page.keyboard.press('i')
    expect(await ann.page.inputValue('#invite-link')).toBe(`${relay.urls.web}/?room=page`)
    await ann.page.keyboard.press('Escape')
  })

  it('can be turned off', async () => {
    await ann.page.keyboard.press('?')
    await ann.page.uncheck('#shortcuts-on')
    await ann.page.keyboard.press('Escape')
    await ann.page.keyboard.press('c')
    expect(await ann.page.locator('#chat-panel').isHidden()).toBe(true)
  })
})

describe('the page', () => {
  it('fits a telephone, with every control in sight', async () => {
    await ann.page.setViewportSize({ width: 390, height: 844 })
    await expect.poll(() => auditPage(ann.page)).toEqual([])
    for (const control of await ann.page.locator('#toolbar button, #padlock').all()) {
      const { x, width } = (await control.boundingBox())!
      expect(x).toBeGreaterThanOrEqual(0)
      expect(x + width).toBeLessThanOrEqual(390)
    }
    await ann.page.click('#chat-button')
    expect((await ann.page.locator('#chat-panel').boundingBox())?.width).toBe(390)
    expect(await auditPage(ann.page)).toEqual([])
  })

  it('breaks none of its own rules, and asks nobody but its server for anything', () => {
    // A breach of the content security policy is an error in the console.
    for (const caller of [ann, bob]) expect(caller.errors).toEqual([])
    const elsewhere = requested.filter((url) => !url.startsWith(relay.urls.web))
    expect(elsewhere.filter((url) => !/^(blob|data):/.test(url))).toEqual([])
  })
})
