/** One participant of whom something cannot be used, in a call with others: theirs goes on. */

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { FakeCodec, stubCodecs } from '../../media/fake-codecs.ts'
import { ReconnectWorld, type TestCaller } from './reconnect-world.ts'

const STEREO = {
  name: 'audio',
  role: 'audio',
  codec: 'opus',
  channelConfig: '2',
  live: true,
} as const

/** Gives samples for each frame; throws, or gives what is none, where the sound is stereo: that is Eve's. */
class Decoder extends FakeCodec {
  static fails: 'decode' | 'queue' | 'output' | null = null

  override configure(config: Record<string, unknown>): void {
    super.configure(config)
    if (!this.isEves || Decoder.fails !== 'queue') return
    const get = () => {
      throw new Error('a bug of the browser')
    }
    Object.defineProperty(this, 'decodeQueueSize', { get })
  }

  override decode(item: Record<string, unknown>): void {
    super.decode(item)
    if (this.isEves && Decoder.fails === 'decode') throw new TypeError('nothing to decode')
    const numberOfChannels = this.isEves && Decoder.fails === 'output' ? 0 : 1
    const { timestamp } = item
    const data = { timestamp, sampleRate: 48_000, numberOfFrames: 960, numberOfChannels }
    this.emit({ ...data, copyTo: () => {}, close: () => {} })
  }

  get isEves(): boolean {
    return this.configs[0]?.numberOfChannels === 2
  }
}

beforeEach(() => {
  stubCodecs()
  Decoder.fails = null
  vi.stubGlobal('AudioDecoder', Decoder)
})
afterEach(() => vi.unstubAllGlobals())

/** Ann and Bob are in a call; Eve comes. */
async function call(prepareEve: (eve: TestCaller) => void) {
  const world = new ReconnectWorld()
  const ann = await world.enter('ann')
  const bob = await world.enter('bob')
  const faults: string[] = []
  ann.onError = (error) => faults.push(String(error))
  bob.onError = () => {}
  const eve = await world.enter('eve', {}, prepareEve)
  /** Bob's sound that Ann hears in a second, of 50 frames; Eve's. */
  const listen = async () => {
    const samples = (id: string) => ann.samples.get(`${id}/audio`) ?? 0
    const before = { bob: samples('bob'), eve: samples('eve') }
    await world.run(1000)
    return { bob: samples('bob') - before.bob, eve: samples('eve') - before.eve }
  }
  return { world, ann, bob, eve, faults, listen }
}

function expectUnharmed(ann: TestCaller): void {
  expect(ann.reconnector.connection!.session.closed).toBe(false)
  expect(ann.dials).toBe(1)
  expect(ann.lost).toEqual([])
  expect(ann.failed).toEqual([])
}

describe('a participant', () => {
  it('of whom all is well is heard like the others', async () => {
    const { ann, faults, listen } = await call((eve) => eve.say([STEREO]))
    const heard = await listen()
    expect(heard.bob).toBeGreaterThan(45)
    expect(heard.eve).toBeGreaterThan(45)
    expect(faults).toEqual([])
    expectUnharmed(ann)
  })

  it('whose catalog is garbage is there without a name, and is heard once it has a good one', async () => {
    const { world, ann, eve, faults, listen } = await call((eve) => {
      eve.catalog = Uint8Array.of(0x7b, 0xff, 0x00)
    })
    expect(await listen()).toEqual({ bob: expect.closeTo(50, -1), eve: 0 })
    expect(ann.other('eve')).toMatchObject({ name: '', tracks: [] })
    expect(faults).toEqual([])
    eve.say([STEREO])
    eve.publishCatalog()
    await world.run(500)
    expect(ann.other('eve')?.name).toBe('eve')
    expect((await listen()).eve).toBeGreaterThan(45)
    // And again garbage: what was known holds.
    eve.catalog = new TextEncoder().encode('{"tracks":{"length":-1}}')
    eve.publishCatalog()
    const heard = await listen()
    expect(Math.min(heard.bob, heard.eve)).toBeGreaterThan(45)
    expectUnharmed(ann)
  })

  it('whose catalog offers what nobody can play is heard as far as it can be', async () => {
    const { ann, listen } = await call((eve) =>
      eve.say([
        { ...STEREO, name: 'video/0', role: 'video', codec: 'nonsense' },
        { ...STEREO, name: 'hologram', role: 'smell', codec: 'x' },
        STEREO,
      ]),
    )
    const heard = await listen()
    expect(Math.min(heard.bob, heard.eve)).toBeGreaterThan(45)
    expectUnharmed(ann)
  })

  it('whose frames never decrypt is counted and not heard', async () => {
    const { ann, faults, listen } = await call((eve) => {
      eve.say([STEREO])
      eve.changeKey = (key) => key.map((byte) => byte ^ 1)
    })
    const heard = await listen()
    expect(heard.bob).toBeGreaterThan(45)
    expect(heard.eve).toBe(0)
    expect(ann.other('eve')?.name).toBe('')
    expect(ann.other('eve')?.decryptFailures?.['authentication-failed']).toBeGreaterThan(0)
    expect(ann.failuresOf('bob')).toBe(0)
    expect(faults).toEqual([])
    expectUnharmed(ann)
  })

  it.each([
    'decode',
    'queue',
    'output',
  ] as const)('whose decoder fails in its %s is told of now and then, and not heard', async (part) => {
    Decoder.fails = part
    const { world, ann, faults, listen } = await call((eve) => eve.say([STEREO]))
    const heard = await listen()
    expect(heard.bob).toBeGreaterThan(45)
    expect(heard.eve).toBe(0)
    expect(ann.other('bob')?.tracks).toHaveLength(1)
    // The next one is told after a pause that grows, or is counted: not one for each frame.
    const { length } = faults
    await world.run(2000)
    expect(faults.length - length).toBeLessThan(10)
    expectUnharmed(ann)
  })
})
