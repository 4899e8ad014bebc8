import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Emitter } from './emitter.ts'

interface Events {
  state: string
  count: number
}

const reported = vi.fn<(error: unknown) => void>()

beforeEach(() => {
  reported.mockReset()
  vi.stubGlobal('reportError', reported)
})
afterEach(() => vi.unstubAllGlobals())

describe('Emitter', () => {
  it('reports what a listener throws, and calls the others all the same', () => {
    const emitter = new Emitter<Events>()
    const heard: string[] = []
    const fault = new Error('a listener that throws')
    emitter.on('state', () => {
      throw fault
    })
    emitter.on('state', (state) => heard.push(state))
    emitter.emit('state', 'connected')
    emitter.emit('state', 'left')
    expect(heard).toEqual(['connected', 'left'])
    expect(reported.mock.calls).toEqual([[fault], [fault]])
  })

  it('calls nobody who has stopped to listen, and only for the event that was asked for', () => {
    const emitter = new Emitter<Events>()
    const heard: unknown[] = []
    const stop = emitter.on('count', (count) => heard.push(count))
    emitter.emit('state', 'connected')
    emitter.emit('count', 1)
    stop()
    stop()
    emitter.emit('count', 2)
    expect(heard).toEqual([1])
  })

  it('calls those who listened when the event came, whatever listeners do meanwhile', () => {
    const emitter = new Emitter<Events>()
    const heard: string[] = []
    const stop = emitter.on('count', () => {
      stop()
      emitter.on('count', () => heard.push('late'))
      heard.push('first')
    })
    emitter.on('count', () => heard.push('second'))
    emitter.emit('count', 1)
    expect(heard).toEqual(['first', 'second'])
    emitter.emit('count', 2)
    expect(heard).toEqual(['first', 'second', 'second', 'late'])
    expect(reported).not.toHaveBeenCalled()
  })
})
