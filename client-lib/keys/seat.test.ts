import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../moq/session/manual-clock.ts'
import { fingerprint } from './fingerprint.ts'
import { leaveSeat, makeSignatureKeys, type Seat, type SeatRequest, takeSeat } from './seat.ts'
import { decodeSaved, encodeSaved } from './state-codec.ts'
import { MemoryStateStore, type StateStore } from './state-store.ts'

class Page {
  readonly clock = new ManualClock()
  readonly store: StateStore
  private ids = 0

  constructor(store: StateStore = new MemoryStateStore()) {
    this.store = store
  }

  sit(request: Partial<SeatRequest> = {}): Promise<Seat> {
    return takeSeat({
      store: this.store,
      room: 'demo',
      wanted: null,
      suite: 'classical',
      wantsKeys: true,
      clock: this.clock,
      randomId: () => `seat ${++this.ids}`,
      ...request,
    })
  }

  /** While a lease is waited for. */
  async waiting(seat: Promise<Seat>): Promise<Seat> {
    let settled = false
    const done = seat.finally(() => {
      settled = true
    })
    while (!settled) {
      this.clock.advance(50)
      await new Promise((resolve) => setImmediate(resolve))
    }
    return done
  }
}

async function keep(seat: Seat, suite: 'classical' | 'p256' = 'classical'): Promise<void> {
  const signatureKeys = seat.keys!
  await seat.slot!.save(encodeSaved({ participantId: 'ann', suite, signatureKeys, group: null }))
  seat.slot!.close()
}

describe('a seat', () => {
  it('has a key before there is a token, and keeps it over a reload', async () => {
    const page = new Page()
    const first = await page.sit()
    expect(first).toMatchObject({ id: 'seat 1', participantId: null, fault: null })
    expect(first.thumbprint).toBe(fingerprint(first.keys!.publicKey))
    await keep(first)
    const again = await page.sit({ wanted: 'seat 1' })
    expect(again).toMatchObject({ id: 'seat 1', participantId: 'ann' })
    expect(again.keys).toEqual(first.keys)
    const state = await again.slot!.take()
    expect(decodeSaved(state!)?.participantId).toBe('ann')
  })

  it('keeps the key where a reload comes before the state was taken', async () => {
    const page = new Page()
    const first = await page.sit()
    await keep(first)
    const interrupted = await page.sit({ wanted: 'seat 1' })
    interrupted.slot!.close()
    const again = await page.sit({ wanted: 'seat 1' })
    expect(again.thumbprint).toBe(first.thumbprint)
    await again.slot!.take()
    expect(decodeSaved((await again.slot!.take())!)?.group).toBeNull()
  })

  it('gives a new key where the old one is of another kind of suite', async () => {
    const page = new Page()
    const first = await page.sit()
    await keep(first)
    const again = await page.sit({ wanted: 'seat 1', suite: 'p256' })
    expect(again.keys!.publicKey).toHaveLength(65)
    expect(again.participantId).toBeNull()
  })

  it('waits for the page that a reload replaces', async () => {
    const page = new Page()
    const first = await page.sit()
    const next = page.sit({ wanted: 'seat 1' })
    await new Promise((resolve) => setImmediate(resolve))
    await keep(first)
    expect(await page.waiting(next)).toMatchObject({ id: 'seat 1', thumbprint: first.thumbprint })
  })

  it('is another one in a copy of the tab, with another key', async () => {
    const page = new Page()
    const first = await page.sit()
    const copy = await page.waiting(page.sit({ wanted: 'seat 1' }))
    expect(copy.id).toBe('seat 2')
    expect(copy.slot).not.toBeNull()
    expect(copy.thumbprint).not.toBe(first.thumbprint)
  })

  it('leaves the state alone where no token binds a key', async () => {
    const page = new Page()
    const signatureKeys = await makeSignatureKeys('classical')
    await keep({ ...(await page.sit()), keys: signatureKeys })
    const again = await page.sit({ wanted: 'seat 1', wantsKeys: false })
    expect(again).toMatchObject({ keys: null, thumbprint: null })
    expect(decodeSaved((await again.slot!.take())!)?.signatureKeys).toEqual(signatureKeys)
  })

  it('is given up with all that is kept', async () => {
    const page = new Page()
    await keep(await page.sit())
    await leaveSeat(await page.sit({ wanted: 'seat 1' }))
    const again = await page.sit({ wanted: 'seat 1' })
    expect([again.id, again.participantId]).toEqual(['seat 1', null])
  })

  it('does without a store that is broken, and says so', async () => {
    const page = new Page({ open: () => Promise.reject(new Error('no disk')) })
    const seat = await page.sit({ wanted: 'seat 9' })
    expect(seat).toMatchObject({ id: 'seat 9', slot: null, fault: new Error('no disk') })
    expect(seat.keys).not.toBeNull()
  })
})
