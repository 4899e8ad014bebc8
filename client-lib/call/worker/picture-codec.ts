import type { Clock } from '../../../moq/session/index.ts'
import { CodecChoice } from '../../media/codec-choice.ts'
import type { CodecSupport } from '../../media/codec-support.ts'
import type { VideoCodecName } from '../../media/codecs.ts'
import type { VideoSettings } from '../../media/video-settings.ts'

export interface PictureCodecOptions {
  /** Preferred ones, the best first. */
  readonly preferred?: readonly VideoCodecName[]
  readonly clock: Clock
  /** It was chosen anew, perhaps as before. */
  readonly onChosen: () => void
}

/** The codec of our pictures: one that we can encode, and whoever is there can decode. */
export class PictureCodec {
  private readonly options: PictureCodecOptions
  private readonly choice: CodecChoice
  /** What this browser can do; null until it has said. */
  private support: CodecSupport | null = null
  private cancelReturn: () => void = () => {}

  constructor(options: PictureCodecOptions) {
    this.options = options
    this.choice = new CodecChoice(options.preferred)
  }

  get name(): VideoCodecName {
    return this.choice.codec
  }

  /** How many temporal layers it can have here. */
  get mostLayers(): VideoSettings['temporalLayers'] {
    return this.support?.encodes.get(this.name) ?? 3
  }

  /** What this browser decodes; null until it has said. */
  get decodes(): readonly VideoCodecName[] | null {
    return this.support?.decodes ?? null
  }

  setSupport(support: CodecSupport): void {
    this.support = support
    this.choice.setEncodable(support.encodes.keys(), this.options.clock.now())
    this.choose()
  }

  /** Names of the video codecs that each of the others can decode. */
  setReceivers(receivers: readonly (readonly string[])[]): void {
    this.choice.setReceivers(receivers, this.options.clock.now())
    this.choose()
  }

  close(): void {
    this.cancelReturn()
  }

  private choose(): void {
    const { clock, onChosen } = this.options
    this.cancelReturn()
    const againMs = this.choice.update(clock.now())
    if (againMs !== null) this.cancelReturn = clock.after(againMs, () => this.choose())
    onChosen()
  }
}
