import { describe, expect, it, vi } from 'vitest'
import type { AudioSource, AudioSourceEvents } from '../media/audio-output.ts'
import { Sounds } from './sounds.ts'

// The script's address is the bundler's.
vi.mock('../media/playout-worklet.ts?worker&url', () => ({ default: '/worklet.js' }))

/** A loudspeaker that opens when the test says so. */
function world() {
  const opening = Promise.withResolvers<{
    addSource(events?: Partial<AudioSourceEvents>): AudioSource
    playAt(id: string): Promise<void>
    close(): Promise<void>
  }>()
  const sources: (AudioSource & { closed: boolean })[] = []
  const told: Partial<AudioSourceEvents>[] = []
  const log: string[] = []
  let outputs = 0
  const output = {
    addSource: (events: Partial<AudioSourceEvents> = {}) => {
      told.push(events)
      const source = {
        port: {} as MessagePort,
        report: null,
        closed: false,
        delayBy: () => {},
        setVolume: () => {},
        close: () => {
          source.closed = true
        },
      }
      sources.push(source)
      return source
    },
    playAt: async (id: string) => {
      if (id === 'gone') throw new Error('no such speaker')
      log.push(`plays at ${id}`)
    },
    close: async () => {
      log.push('loudspeaker closed')
    },
  }
  const sounds = new Sounds(
    {
      onOpened: (source) => log.push(`opened ${source}`),
      onHeard: () => {},
      onDelay: (source, ms) => log.push(`${source} after ${ms}`),
      onError: ({ code, message }) => log.push(`${code}: ${message}`),
    },
    () => {
      outputs++
      return opening.promise
    },
  )
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve))
  const open = async () => {
    opening.resolve(output)
    await settle()
  }
  const fail = async () => {
    opening.reject(new Error('no worklet'))
    await settle()
  }
  return { sounds, sources, told, log, open, fail, settle, outputs: () => outputs }
}

describe('sounds at the loudspeaker', () => {
  it('have a source each, of one loudspeaker, and let go of it when they end', async () => {
    const { sounds, sources, log, open, outputs } = world()
    void sounds.open('ann/audio')
    void sounds.open('bob/audio')
    await open()
    expect(log).toEqual(['opened ann/audio', 'opened bob/audio'])
    expect(outputs()).toBe(1)
    expect(sounds.of('ann', 'camera')).toBe(sources[0])
    sounds.end('ann/audio')
    expect(sources.map(({ closed }) => closed)).toEqual([true, false])
    expect(log.slice(2)).toEqual(['ann/audio after null'])
    expect(sounds.of('ann', 'camera')).toBeNull()
  })

  it('come from the speaker that was chosen, before the loudspeaker opens or later', async () => {
    const { sounds, log, open, settle } = world()
    await sounds.playAt('head')
    void sounds.open('ann/audio')
    await open()
    await settle()
    expect(log).toEqual(['plays at head', 'opened ann/audio'])
    await sounds.playAt('desk')
    expect(log.at(-1)).toBe('plays at desk')
    await expect(sounds.playAt('gone')).rejects.toThrow('no such speaker')
  })

  it('are heard although the speaker that was chosen before is gone', async () => {
    const { sounds, log, open, settle } = world()
    await sounds.playAt('gone')
    void sounds.open('ann/audio')
    await open()
    await settle()
    expect(log).toEqual(['opened ann/audio'])
  })

  it('tell how long after their timestamps they are heard, until they end', async () => {
    const { sounds, told, log, open } = world()
    void sounds.open('ann/audio')
    await open()
    told[0]!.onDelay!(40)
    sounds.end('ann/audio')
    told[0]!.onDelay!(50)
    expect(log.slice(1)).toEqual(['ann/audio after 40', 'ann/audio after null'])
  })

  it('that end while the loudspeaker opens leave nothing behind', async () => {
    const { sounds, sources, log, open } = world()
    void sounds.open('ann/audio')
    void sounds.open('bob/audio')
    sounds.end('ann/audio')
    await open()
    expect(log).toEqual(['opened bob/audio'])
    expect(sources).toHaveLength(1)
  })

  it('that end and begin again meanwhile have one source, not two', async () => {
    const { sounds, sources, log, open } = world()
    void sounds.open('ann/audio')
    sounds.end('ann/audio')
    void sounds.open('ann/audio')
    await open()
    expect(log).toEqual(['opened ann/audio'])
    expect(sources).toHaveLength(1)
    sounds.end('ann/audio')
    expect(sources[0]!.closed).toBe(true)
  })

  it('are silent when the call ended before the loudspeaker was open, which is closed', async () => {
    const { sounds, sources, log, open } = world()
    void sounds.open('ann/audio')
    sounds.close()
    await open()
    expect(log).toEqual(['loudspeaker closed'])
    expect(sources).toEqual([])
  })

  it('that cannot be played are told of once, and the call goes on', async () => {
    const { sounds, log, fail, settle } = world()
    void sounds.open('ann/audio')
    void sounds.open('bob/audio')
    await fail()
    void sounds.open('cyn/audio')
    await settle()
    expect(log).toEqual([expect.stringMatching(/^internal: Sound cannot be played/)])
    expect(sounds.of('ann', 'camera')).toBeNull()
  })
})
