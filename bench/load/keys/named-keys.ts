import { createHash } from 'node:crypto'
import { EpochSecret, ReceiverContext, suites } from '../../../sframe/index.ts'
import { nodeProvider } from '../../../sframe/node.ts'
import type { KeysEvents, ParticipantKeys } from './participant-keys.ts'

const LOAD_SUITE = suites.AES_256_GCM_SHA512_128

export interface NamedKeysOptions {
  readonly room: string
  /** Epochs of the run, in order; the first is that of the start. */
  readonly epochs: readonly number[]
  /** Of them, the one that is sent in now: it changes while others are there. */
  readonly epochNow: () => number
  readonly leaf: number
  readonly events: KeysEvents
}

/**
 * Keys of synthetic rooms that are made of names, and so known to anybody: what is sent under them is
 * noise with a time in it. The relay is not told them, and they cost nothing while it is measured.
 */
export class NamedKeys implements ParticipantKeys {
  readonly receiver = new ReceiverContext({ provider: nodeProvider, suite: LOAD_SUITE })
  readonly epochs = []
  readonly hasTrack = false
  private readonly options: NamedKeysOptions

  constructor(options: NamedKeysOptions) {
    this.options = options
  }

  async prepare(): Promise<void> {
    const { room, epochs, leaf, epochNow } = this.options
    for (const epoch of epochs) {
      const baseKey = baseKeyOf(room, epoch)
      await this.receiver.installEpoch({ epoch, baseKey, ownLeaf: leaf })
    }
    await this.changeEpoch(epochNow())
  }

  begin(): void {
    this.options.events.onReceiveKeys()
  }

  accept(): boolean {
    return false
  }

  async changeEpoch(index: number): Promise<void> {
    const { room, epochs, leaf, events } = this.options
    const epoch = epochs[index]!
    const baseKey = baseKeyOf(room, epoch)
    const secret = await EpochSecret.import(nodeProvider, LOAD_SUITE, { epoch, baseKey })
    events.onSendKey({ secret, leaf })
  }

  groupAsked(): void {}

  placeOf(): 'lost' {
    return 'lost'
  }

  async leave(): Promise<void> {}

  close(): void {}
}

function baseKeyOf(room: string, epoch: number): Uint8Array {
  const hash = createHash('sha512').update(`sotto bench ${epoch} ${room}`).digest()
  return Uint8Array.from(hash.subarray(0, LOAD_SUITE.keyLength))
}
