/**
 * Which codec our pictures are sent in: the first of our preference that we can encode and everybody who
 * is there can decode. Somebody who cannot decode what is sent is followed at once; back to a preferred
 * codec it goes only when all have borne it for a while, as each change costs a key frame and a new
 * decoder at every receiver. Pure: time is passed in.
 */

import { VIDEO_CODECS, type VideoCodecName } from './codecs.ts'

/** How long all must have been able to decode a preferred codec before it is gone back to, ms. */
const RETURN_MS = 20_000

export class CodecChoice {
  private readonly order: readonly VideoCodecName[]
  private encodable: ReadonlySet<VideoCodecName> = new Set(VIDEO_CODECS)
  private receivers: readonly ReadonlySet<string>[] = []
  private current: VideoCodecName
  /** Since when a preferred codec could be used, ms, and which. */
  private better: { readonly codec: VideoCodecName; readonly since: number } | null = null

  /** @param preferred the best first; the others follow them, for when none of these can be used */
  constructor(preferred: readonly VideoCodecName[] = []) {
    this.order = [...new Set([...preferred, ...VIDEO_CODECS])]
    this.current = this.order[0]!
  }

  get codec(): VideoCodecName {
    return this.current
  }

  /** What our encoders can do. */
  setEncodable(codecs: Iterable<VideoCodecName>, now: number): void {
    this.encodable = new Set(codecs)
    this.update(now)
  }

  /** What each of the others can decode. */
  setReceivers(receivers: readonly (readonly string[])[], now: number): void {
    this.receivers = receivers.map((codecs) => new Set(codecs))
    this.update(now)
  }

  /** @returns ms after which to call it again; null: when something else changes */
  update(now: number): number | null {
    const usable = this.order.filter((codec) => this.encodable.has(codec) && this.allDecode(codec))
    // Where nothing suits all, most are served by what we can encode.
    const best = usable[0] ?? this.order.find((codec) => this.encodable.has(codec)) ?? this.current
    const goesOn = usable.includes(this.current) && this.receivers.length > 0
    if (best === this.current || !goesOn) {
      this.current = best
      this.better = null
      return null
    }
    if (this.better?.codec !== best) this.better = { codec: best, since: now }
    const left = this.better.since + RETURN_MS - now
    if (left > 0) return left
    this.current = best
    this.better = null
    return null
  }

  private allDecode(codec: VideoCodecName): boolean {
    return this.receivers.every((codecs) => codecs.has(codec))
  }
}
