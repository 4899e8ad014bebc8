import { expect, it, vi } from 'vitest'
import { Emitter } from './emitter.ts'

it('a listener that throws breaks neither the others nor whoever emits', () => {
  const uncaught: unknown[] = []
  vi.stubGlobal('reportError', (error: unknown) => uncaught.push(error))
  try {
    const emitter = new Emitter<{ state: string }>()
    const heard: string[] = []
    emitter.on('state', () => {
      throw new Error('of the application')
    })
    const stop = emitter.on('state', (state) => heard.push(state))
    emitter.emit('state', 'reconnecting')
    emitter.emit('state', 'connected')
    stop()
    emitter.emit('state', 'left')
    expect(heard).toEqual(['reconnecting', 'connected'])
    // A developer sees it as uncaught.
    expect(uncaught.map(String)).toEqual(Array(3).fill('Error: of the application'))
  } finally {
    vi.unstubAllGlobals()
  }
})
