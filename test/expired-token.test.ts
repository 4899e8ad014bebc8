/**
 * A token that ends: at the join, and during a call that gets no other. What the page says, and the way
 * that it offers. Real: the relay with --auth, `sotto token`, Chromium.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Call, CallError, JoinOptions } from '../client-lib/index.ts'
import { buildApp } from '../scripts/build-app.ts'
import { DESKTOP, keepLooks } from './support/artefacts.ts'
import { Caller } from './support/call-page.ts'
import { launchChromium } from './support/chromium.ts'
import { type RelayProcess, runRelay, startRelay } from './support/relay-process.ts'

let folder: string
let relay: RelayProcess
let browser: Browser

beforeAll(async () => {
  await buildApp({ quiet: true })
  folder = await mkdtemp(join(tmpdir(), 'sotto-expired-'))
  await runRelay(['token', 'keys', '--out', folder])
  relay = await startRelay(['--engine', 'quiche', '--auth', join(folder, 'jwks.json')])
  browser = await launchChromium()
})

afterAll(async () => {
  await browser?.close()
  await relay?.stop()
  await rm(folder, { recursive: true, force: true })
})

async function issue(sub: string, ttl: string): Promise<string> {
  const key = join(folder, 'signing-key.json')
  const args = ['--key', key, '--room', 'page', '--sub', sub, '--ttl', ttl]
  const { code, stdout } = await runRelay(['token', 'issue', ...args])
  expect(code).toBe(0)
  return stdout.trim()
}

async function open(query: Record<string, string>): Promise<Caller> {
  const context = await browser.newContext({ viewport: DESKTOP })
  const who = { room: 'page', name: 'Ann', audio: '0', video: '0', suite: 'classical' }
  return Caller.in(context, relay.urls.web, { ...who, ...query })
}

/** The page says that the token is over, and takes another one. */
async function expectAdvice({ page }: Caller): Promise<void> {
  await expect
    .poll(() => page.innerText('#ending-text'))
    .toBe('The token has expired. Ask for a new link or token.')
}

async function enterAnother(caller: Caller, sub: string): Promise<void> {
  const { page } = caller
  await page.click('#again')
  await page.waitForSelector('#token-field:not([hidden])')
  expect(await page.innerText('#token-problem')).toContain('has expired')
  await page.fill('#token', await issue(sub, '10m'))
  await page.click('#join')
  await caller.until('in the call', ({ state }) => state === 'connected')
}

describe('a token that has expired', () => {
  it('is said to have at the join, and another one is asked for', async () => {
    const token = await issue('ann', '1s')
    await new Promise((resolve) => setTimeout(resolve, 2000))
    const caller = await open({ token, autojoin: '1' })
    const { error } = await caller.until('refused', ({ state }) => state === 'failed')
    expect(error?.code).toBe('token-expired')
    await expectAdvice(caller)
    await keepLooks(caller.page, 'token expired')
    await enterAnother(caller, 'ann')
    await caller.close()
  })

  it('ends a call that is under way with the same words and the same way on', async () => {
    const caller = await open({ token: await issue('bea', '8s'), autojoin: '1' })
    await caller.until('in the call', ({ state }) => state === 'connected')
    const { error } = await caller.until('over', ({ state }) => state === 'failed', 30_000)
    expect(error?.code).toBe('token-expired')
    await expectAdvice(caller)
    await enterAnother(caller, 'bea')
    await caller.close()
  })

  it('is told of beforehand to an application whose function has no other', async () => {
    const other = await issue('cleo', '10m')
    const caller = await open({ token: other, autojoin: '1' })
    await caller.until('in the call', ({ state }) => state === 'connected')
    const token = await issue('dora', '12s')
    // The page has no function for a token; its bundle has the class that takes one.
    const errors = await caller.page.evaluate(
      async ({ url, first }) => {
        const { certificateHashes } = await (await fetch('/config.json')).json()
        const PageCall = globalThis.sotto!.call!.constructor as new (options: JoinOptions) => Call
        let asked = 0
        const token = async () => {
          if (asked++ === 0) return first
          throw new Error('signed out')
        }
        const media = { audio: false, video: false }
        const who = { room: 'page', name: 'Dora', suite: 'classical' as const }
        const short = { reconnectMs: 3000 }
        const call = new PageCall({ url, certificateHashes, ...who, ...short, media, token })
        const told: Pick<CallError, 'code' | 'message'>[] = []
        call.on('error', ({ code, message }) => told.push({ code, message }))
        await new Promise<void>((resolve) => {
          call.on('state', (state) => {
            if (state === 'failed') resolve()
          })
        })
        return told
      },
      { url: relay.urls.relay, first: token },
    )
    expect(errors[0]?.message).toMatch(/no new token yet/)
    expect(errors.at(-1)?.code).toBe('token-expired')
    await caller.close()
  })
})
