import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { BLOCK_SAMPLES } from './sample-blocks.ts'
import { samplesOf, tapAudio } from './sample-source.ts'

const track = {} as MediaStreamTrack

afterEach(() => vi.unstubAllGlobals())

describe('sound that the page reads', () => {
  it('goes to the worker as a stream', async () => {
    const samples = new ReadableStream<AudioData>()
    vi.stubGlobal(
      'MediaStreamTrackProcessor',
      class {
        readable = samples
      },
    )
    const { source, transfer } = await tapAudio(track, 'worklet.js')
    expect(source).toEqual({ way: 'stream', samples })
    expect(transfer).toEqual([samples])
    expect(samplesOf(source)).toBe(samples)
  })
})

/** An audio context that connects tracks of its own rate only, as Firefox's do. */
class FakeContext {
  static made: FakeContext[] = []
  static refuses: unknown = null
  readonly destination = {}
  readonly sampleRate: number
  state = 'running'
  readonly audioWorklet = {
    addModule: async () => {
      if (FakeContext.refuses) throw FakeContext.refuses
    },
  }

  constructor({ sampleRate = 44_100 }: AudioContextOptions) {
    this.sampleRate = sampleRate
    FakeContext.made.push(this)
  }

  createMediaStreamSource() {
    if (this.sampleRate !== 44_100) throw new DOMException('no', 'NotSupportedError')
    return { connect: () => {}, disconnect: () => {} }
  }
  resume = async () => {}
  addEventListener = () => {}
  removeEventListener = () => {}
  close = vi.fn(async () => {
    this.state = 'closed'
  })
}

describe('sound that nobody reads', () => {
  const told: unknown[] = []

  beforeEach(() => {
    FakeContext.made = []
    FakeContext.refuses = null
    told.length = 0
    vi.stubGlobal('AudioContext', FakeContext)
    vi.stubGlobal('MediaStream', class {})
    vi.stubGlobal('removeEventListener', () => {})
    vi.stubGlobal(
      'AudioWorkletNode',
      class {
        readonly port = { postMessage: (message: object) => told.push(...Object.keys(message)) }
        connect = () => {}
        disconnect = () => {}
      },
    )
  })

  it('comes of a worklet, at the rate of the machine where the browser asks for that', async () => {
    const tap = await tapAudio(track, 'worklet.js')
    expect(tap.source.way).toBe('port')
    expect(FakeContext.made.map(({ sampleRate, state }) => [sampleRate, state])).toEqual([
      [48_000, 'closed'],
      [44_100, 'running'],
    ])
    tap.close()
    expect(told).toEqual(['blocks', 'end'])
    expect(FakeContext.made[1]!.state).toBe('closed')
  })

  it('leaves no context open when the worklet cannot be loaded', async () => {
    FakeContext.refuses = new DOMException('no', 'AbortError')
    await expect(tapAudio(track, 'worklet.js')).rejects.toThrow('no')
    expect(FakeContext.made.map(({ state }) => state)).toEqual(['closed', 'closed'])
  })
})

describe("the worker's end of a worklet's sound", () => {
  /** The audio thread's side of the port. */
  function setUp() {
    vi.stubGlobal(
      'AudioData',
      class {
        readonly init: object
        constructor(init: object) {
          this.init = init
        }
      },
    )
    const answers: unknown[] = []
    const port = {
      onmessage: null as ((event: { data: unknown }) => void) | null,
      postMessage: (message: unknown) => answers.push(message),
      close: vi.fn(),
    }
    const stream = samplesOf({ way: 'port', port: port as unknown as MessagePort })
    const block = (timestamp: number) => {
      const samples = new Float32Array(BLOCK_SAMPLES)
      port.onmessage?.({ data: { timestamp, samples } })
      return samples
    }
    return { stream, port, answers, block }
  }

  it('makes what the encoder takes of each block, and gives its memory back', async () => {
    const { stream, answers, block } = setUp()
    const reader = stream.getReader()
    const samples = block(1_000_000)
    const { value } = await reader.read()
    expect(value).toMatchObject({
      init: {
        format: 'f32',
        sampleRate: 48_000,
        numberOfChannels: 1,
        numberOfFrames: BLOCK_SAMPLES,
        timestamp: 1_000_000,
      },
    })
    expect(answers).toEqual(['start', samples])
  })

  it('keeps no more than a few blocks that nobody reads', async () => {
    const { stream, answers, block } = setUp()
    for (let i = 0; i < 20; i++) block(i * 20_000)
    expect(answers).toHaveLength(21)
    const reader = stream.getReader()
    for (let i = 0; i < 8; i++) expect((await reader.read()).done).toBe(false)
    const next = reader.read()
    block(400_000)
    expect((await next).value).toMatchObject({ init: { timestamp: 400_000 } })
  })

  it('ends with either side', async () => {
    const ours = setUp()
    await ours.stream.cancel()
    expect(ours.answers).toEqual(['start', null])
    expect(ours.port.close).toHaveBeenCalledOnce()
    const theirs = setUp()
    theirs.port.onmessage?.({ data: null })
    expect((await theirs.stream.getReader().read()).done).toBe(true)
  })
})
