/**
 * A network that lets no UDP through: the relay's address, as the page knows it, answers on TCP, and UDP
 * to it gets no answer. Real Chromium, relay and sockets.
 */

import { createSocket } from 'node:dgram'
import { type AddressInfo, connect, createServer } from 'node:net'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildApp } from '../scripts/build-app.ts'
import { Caller } from './support/call-page.ts'
import { launchChromium } from './support/chromium.ts'
import { type RelayProcess, startRelay } from './support/relay-process.ts'

let relay: RelayProcess
let browser: Browser
let silent: { readonly port: number; readonly asked: () => number; close(): void }

beforeAll(async () => {
  await buildApp({ quiet: true })
  relay = await startRelay(['--engine', 'quiche'])
  // A browser's WebSocket cannot pin the self-signed certificate.
  browser = await launchChromium(['--ignore-certificate-errors'])
  silent = await withoutUdp(Number(new URL(relay.urls.relay).port))
})

afterAll(async () => {
  await browser?.close()
  silent?.close()
  await relay?.stop()
})

/** A port whose TCP goes to the relay, and whose UDP is heard by nobody who answers. */
async function withoutUdp(relayPort: number) {
  const tcp = createServer((from) => {
    const to = connect(relayPort, '127.0.0.1')
    from.on('error', () => to.destroy())
    to.on('error', () => from.destroy())
    from.pipe(to).pipe(from)
  })
  await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve))
  const { port } = tcp.address() as AddressInfo
  const udp = createSocket('udp4')
  let asked = 0
  udp.on('message', () => asked++)
  await new Promise<void>((resolve) => udp.bind(port, '127.0.0.1', resolve))
  const close = () => {
    tcp.close()
    udp.close()
  }
  return { port, asked: () => asked, close }
}

describe('a network that lets no UDP through', () => {
  const query = { room: 'tcp', name: 'Ann', autojoin: '1', suite: 'classical', video: '0' }
  let caller: Caller

  it('costs a join two seconds once, and the page says how it is connected', async () => {
    caller = await Caller.behind(browser, relay.urls.web, silent.port, query)
    const snapshot = await caller.until('in the call', ({ state }) => state === 'connected')
    expect(snapshot.transport).toBe('websocket')
    expect(silent.asked()).toBeGreaterThan(0)
    const { connected } = snapshot.joinMs
    process.stdout.write(`connected over WebSocket after ${connected} ms\n`)
    expect(connected).toBeGreaterThan(1900)
    // Loose: the machine is shared.
    expect(connected).toBeLessThan(6000)
    await caller.page.keyboard.press('g')
    await expect
      .poll(() => caller.page.innerText('#statistics-body'))
      .toMatch(/Transport\s+WebSocket/)
    await caller.page.keyboard.press('g')
    await caller.page.click('#padlock')
    expect(await caller.page.innerText('#transport')).toBe('WebSocket over TCP')
  })

  it('is remembered: the next join goes by WebSocket at once', async () => {
    // Until the keys are kept.
    await caller.page.waitForTimeout(1500)
    const before = silent.asked()
    await caller.page.reload()
    const snapshot = await caller.until('in the call', ({ state }) => state === 'connected')
    expect(snapshot.transport).toBe('websocket')
    process.stdout.write(`the next time after ${snapshot.joinMs.connected} ms\n`)
    // A WebSocket that is slow on a busy machine is not what is looked for.
    if (snapshot.joinMs.connected! < 1900) expect(silent.asked()).toBe(before)
    // Chromium says in the console that the first try had no answer.
    expect(caller.errors.filter((error) => !error.includes('QUIC_NETWORK_IDLE_TIMEOUT'))).toEqual(
      [],
    )
    await caller.close()
  })
})
