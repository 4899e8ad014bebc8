/** Stand-ins for WebCodecs in unit tests: they record what they are told and answer when asked to. */

import { vi } from 'vitest'

interface CodecInit {
  readonly output: (...output: unknown[]) => void
  readonly error: (error: Error) => void
}

export class FakeCodec {
  /** Every codec made since `stubCodecs`, in order. */
  static made: FakeCodec[] = []
  /** Makes `configure` throw. */
  static refuse: Error | null = null

  state = 'unconfigured'
  encodeQueueSize = 0
  decodeQueueSize = 0
  readonly configs: Record<string, unknown>[] = []
  readonly inputs: { item: Record<string, unknown>; options: unknown }[] = []
  private readonly init: CodecInit

  constructor(init: CodecInit) {
    this.init = init
    FakeCodec.made.push(this)
  }

  static get last(): FakeCodec {
    return FakeCodec.made.at(-1)!
  }

  configure(config: Record<string, unknown>): void {
    if (FakeCodec.refuse) throw FakeCodec.refuse
    this.state = 'configured'
    this.configs.push(config)
  }

  encode(item: Record<string, unknown>, options: unknown): void {
    this.inputs.push({ item, options })
  }

  decode(item: Record<string, unknown>): void {
    this.inputs.push({ item, options: undefined })
  }

  close(): void {
    this.state = 'closed'
  }

  emit(...output: unknown[]): void {
    this.init.output(...output)
  }

  /** As WebCodecs does: closed first, told then. */
  fail(message: string): void {
    this.state = 'closed'
    this.init.error(new Error(message))
  }
}

/** An encoded chunk, as an encoder gives it and a decoder takes it. */
export class FakeChunk {
  readonly type: string
  readonly timestamp: number
  readonly data: Uint8Array
  readonly byteLength: number

  constructor(init: { type: string; timestamp: number; data: Uint8Array }) {
    this.type = init.type
    this.timestamp = init.timestamp
    this.data = init.data
    this.byteLength = init.data.length
  }

  copyTo(target: Uint8Array): void {
    target.set(this.data)
  }
}

/** To be undone by `vi.unstubAllGlobals`. */
export function stubCodecs(): void {
  FakeCodec.made = []
  FakeCodec.refuse = null
  for (const name of ['VideoEncoder', 'VideoDecoder', 'AudioEncoder', 'AudioDecoder']) {
    vi.stubGlobal(name, FakeCodec)
  }
  for (const name of ['EncodedVideoChunk', 'EncodedAudioChunk']) vi.stubGlobal(name, FakeChunk)
}
