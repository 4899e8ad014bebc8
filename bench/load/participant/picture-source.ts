import { VideoPacketizer } from '../../../client-lib/media/packetize.ts'
import { type FrameShape, PictureShape } from '../media/picture-shape.ts'
import type { PictureSpec } from '../media/profile.ts'

/** An encoder with its packetizer: after a break nothing comes before the next key frame. */
export class PictureSource {
  readonly spec: PictureSpec
  readonly packetizer: VideoPacketizer
  private readonly shape: PictureShape
  private waitsForKey = true

  constructor(spec: PictureSpec, random: () => number, firstGroup: number) {
    this.spec = spec
    this.shape = new PictureShape(spec, random)
    this.packetizer = new VideoPacketizer({ temporalLayers: spec.temporalLayers, firstGroup })
  }

  /** The next frame; null while a key frame is waited for. */
  next(): FrameShape | null {
    const frame = this.shape.next()
    if (frame.key) this.waitsForKey = false
    return this.waitsForKey ? null : frame
  }

  /** @param bitrate bits a second, all layers together */
  setBitrate(bitrate: number): void {
    if (bitrate > 0) this.shape.setBitrate(bitrate)
  }

  /** What comes until then may still be sent. */
  requestKeyFrame(): void {
    this.shape.requestKeyFrame()
  }

  /** Frames were left out: what refers to them may not be sent. */
  breakOff(): void {
    this.waitsForKey = true
    this.shape.requestKeyFrame()
  }
}
