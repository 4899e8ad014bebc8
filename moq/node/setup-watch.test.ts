import { describe, expect, it } from 'vitest'
import type { SessionHandler } from '../session/handler.ts'
import type { CloseInfo } from '../transport/transport.ts'
import { watchSetup } from './setup-watch.ts'

const CLOSED: CloseInfo = { by: 'peer', code: 2, reason: 'no' }

/** A handler of a program: a class with private state, as a proxy must not break. */
class Recorder implements SessionHandler {
  readonly #calls: string[] = []

  get calls() {
    return this.#calls
  }

  onReady(): void {
    this.#calls.push('ready')
  }

  onClosed(): void {
    this.#calls.push('closed')
  }

  onRoom(bytes: number): void {
    this.#calls.push(`room ${bytes}`)
  }
}

function watch(handler: Recorder) {
  return watchSetup(handler, {
    onReady: () => handler.calls.push('watcher ready'),
    onFailed: ({ code }) => handler.calls.push(`watcher failed ${code}`),
  })
}

describe('a watched handler', () => {
  it('does what the handler does, and tells after it', () => {
    const handler = new Recorder()
    const watched = watch(handler)
    watched.onReady?.({ type: 'SETUP', options: [] })
    watched.onRoom?.(7)
    watched.onClosed?.(CLOSED)
    expect(handler.calls).toEqual(['ready', 'watcher ready', 'room 7', 'closed'])
  })

  it('tells of a session that ends before SETUP', () => {
    const handler = new Recorder()
    watch(handler).onClosed?.(CLOSED)
    expect(handler.calls).toEqual(['closed', 'watcher failed 2'])
  })

  it('has no method that the handler has not: such requests are NOT_SUPPORTED (section 4)', () => {
    const watched = watch(new Recorder())
    expect(watched.onSubscribe).toBeUndefined()
    expect(watched.onRoom).toBeTypeOf('function')
  })
})
