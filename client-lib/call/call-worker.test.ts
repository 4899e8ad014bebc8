import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

class FakeWorker {
  static readonly started: FakeWorker[] = []
  onerror: (() => void) | null = null
  isTerminated = false
  readonly told: unknown[] = []

  constructor() {
    FakeWorker.started.push(this)
  }

  postMessage(message: unknown): void {
    this.told.push(message)
  }

  terminate(): void {
    this.isTerminated = true
  }
}

async function load() {
  vi.resetModules()
  return import('./call-worker.ts')
}

beforeEach(() => {
  FakeWorker.started.length = 0
  vi.stubGlobal('Worker', FakeWorker)
  vi.stubGlobal('location', new URL('https://page.example/'))
})
afterEach(() => vi.unstubAllGlobals())

// The script's address is the bundler's; here it is of the page's own origin.
vi.mock('./worker/main.ts?worker&url', () => ({ default: '/worker.js' }))

describe('the worker of a call', () => {
  it('is started once however often it is preloaded, and taken by the next call alone', async () => {
    const { preloadWorker, takeWorker } = await load()
    preloadWorker()
    preloadWorker()
    expect(FakeWorker.started).toHaveLength(1)
    expect(takeWorker()).toBe(FakeWorker.started[0])
    expect(takeWorker()).toBe(FakeWorker.started[1])
    expect(FakeWorker.started).toHaveLength(2)
  })

  it('is told what is known of the call to come, and of no relay that is reached another way', async () => {
    vi.stubGlobal('localStorage', undefined)
    const { preloadWorker } = await load()
    const relay = { url: 'https://relay.example/', certificateHashes: ['ab'] }
    preloadWorker()
    preloadWorker(relay)
    preloadWorker({ ...relay, suite: 'classical', transport: 'websocket' })
    preloadWorker({ ...relay, url: 'no address' })
    expect(FakeWorker.started[0]!.told).toEqual(
      [
        { suite: 'x-wing', relay: null },
        { suite: 'x-wing', relay },
        { suite: 'classical', relay: null },
        { suite: 'x-wing', relay: null },
      ].map((preparations) => ({ type: 'prepare', preparations })),
    )
  })

  it('is started anew for a call when what was preloaded broke', async () => {
    const { preloadWorker, takeWorker } = await load()
    preloadWorker()
    FakeWorker.started[0]!.onerror!()
    expect(FakeWorker.started[0]!.isTerminated).toBe(true)
    expect(takeWorker()).toBe(FakeWorker.started[1])
  })
})
