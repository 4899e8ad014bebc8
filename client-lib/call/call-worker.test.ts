import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

class FakeWorker {
  static readonly started: FakeWorker[] = []
  onerror: (() => void) | null = null
  isTerminated = false

  constructor() {
    FakeWorker.started.push(this)
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

  it('is started anew for a call when what was preloaded broke', async () => {
    const { preloadWorker, takeWorker } = await load()
    preloadWorker()
    FakeWorker.started[0]!.onerror!()
    expect(FakeWorker.started[0]!.isTerminated).toBe(true)
    expect(takeWorker()).toBe(FakeWorker.started[1])
  })
})
