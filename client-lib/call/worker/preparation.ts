import { VERSIONS } from '../../../moq/wire/versions.ts'
import { warmUpKeys } from '../../keys/index.ts'
import { IndexedDbStateStore } from '../../keys/indexeddb-state-store.ts'
import { type CodecSupport, probeCodecs } from '../../media/codec-support.ts'
import { EarlyTransport } from '../../transport/early-transport.ts'
import { browserPlatform } from '../../transport/platform.ts'
import type { Preparations } from '../worker-protocol.ts'

/**
 * What a join needs that can be there before it: the way to the relay, code that is loaded and compiled, an
 * open store, what the browser's codecs can do. Nothing of it has to succeed: what fails here fails, and is
 * told, when it is needed.
 */
export class Preparation {
  readonly early = new EarlyTransport(browserPlatform())
  readonly store = new IndexedDbStateStore()
  private support: Promise<CodecSupport> | null = null
  private warm = false
  private joining = false

  /** The page expects a call; may be told again. */
  prepare({ suite, relay }: Preparations): void {
    if (this.joining) return
    if (relay) this.early.open({ ...relay, protocols: VERSIONS })
    if (this.warm) return
    this.warm = true
    this.store.prepare().catch(() => {})
    this.codecs().catch(() => {})
    warmUpKeys(suite, () => !this.joining).catch(() => {})
  }

  /** The call begins: the processor is its own now. */
  begin(): void {
    this.joining = true
  }

  /** Asked of the browser once. */
  codecs(): Promise<CodecSupport> {
    this.support ??= probeCodecs()
    return this.support
  }
}
