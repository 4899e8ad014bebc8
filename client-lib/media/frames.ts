/** Encoded media as plain data: what encoders give, packetizers take, assemblers give back. */

/** One encoded video frame. */
export interface EncodedVideo {
  readonly bytes: Uint8Array
  /** Capture time, wall-clock µs since the Unix epoch. */
  readonly timestamp: number
  /** Decodable on its own. */
  readonly key: boolean
  /** 0 is the base layer. */
  readonly temporalLayer: number
  /** `VideoDecoderConfig.description`, where the codec needs one; with key frames only. */
  readonly config?: Uint8Array
}

/** One encoded audio frame. */
export interface EncodedAudio {
  readonly bytes: Uint8Array
  /** Capture time of the first sample, wall-clock µs since the Unix epoch. */
  readonly timestamp: number
  /** RFC 6464: -dBov, 0 loudest .. 127 silence. */
  readonly level: number
  readonly voice: boolean
}

/** A MoQT object before encryption: where it goes, what the relay may read, what it may not. */
export interface ObjectPlan {
  readonly group: number
  readonly object: number
  /** `stream` objects of a subgroup share one stream; a `datagram` object has no subgroup. */
  readonly delivery: 'stream' | 'datagram'
  readonly subgroup: number
  readonly temporalLayer: number
  /** No further object follows in this subgroup: finish its stream behind this one. */
  readonly last: boolean
  /** The whole properties field of the object. */
  readonly properties: Uint8Array
  /** The authenticated part of `properties`, for the AAD. */
  readonly immutable: Uint8Array
  /** Plaintext; a view of the frame's bytes. */
  readonly payload: Uint8Array
}
