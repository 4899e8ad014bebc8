/**
 * Frames into MoQT objects. A video group starts at a key frame. Its base layer goes on the stream of
 * subgroup 0, where nothing is lost; each enhancement frame goes as datagram objects cut to fit, where
 * a loss costs only that frame. Object ids ascend over both deliveries, so the order of ids is the
 * order of decoding. Pure: no clock, no transport.
 */

import {
  encodeMediaProperties,
  MAX_FRAGMENTS,
  type MediaProperties,
} from '../../moq/media/index.ts'
import type { EncodedAudio, EncodedVideo, ObjectPlan } from './frames.ts'

/**
 * Bytes of an object datagram's header at most: type, alias, group, object (9 each at most), priority
 * and the length of the properties.
 */
const DATAGRAM_HEADER_BYTES = 1 + 9 + 9 + 9 + 1 + 2
/** An SFrame header (RFC 9605 section 4.3) at most, and the longest tag. */
const SFRAME_BYTES = 17 + 16
/** Our properties of a fragment, at most: Immutable Properties, marking, timestamp, fragment, frame. */
const PROPERTIES_BYTES = 2 + 5 + 9 + 4 + 6
/** A fragment below this carries too little beside its header to be worth sending. */
const MIN_FRAGMENT_BYTES = 200

/**
 * Datagrams are cut for the smallest path in the room, not for the sender's own: a relay cannot cut
 * them anew. A QUIC packet of 1200 bytes leaves about this much.
 */
export const DATAGRAM_CEILING = 1150

export interface VideoPacketizerOptions {
  /** 1..3 */
  readonly temporalLayers: number
  /**
   * Id of the first group. A participant that publishes a track again must start above the ids it
   * has used: objects are immutable.
   */
  readonly firstGroup?: number
}

export class VideoPacketizer {
  private readonly temporalLayers: number
  private group: number
  private object = 0
  private frame = -1
  private baseIndex = 0
  /** Layer of the frame that was encoded last, sent or not. */
  private previousLayer = 0
  /** Lowest layer of which a frame was left out since the last base frame. */
  private leftOut = Number.POSITIVE_INFINITY

  constructor(options: VideoPacketizerOptions) {
    this.temporalLayers = options.temporalLayers
    this.group = (options.firstGroup ?? 0) - 1
  }

  /**
   * @param maxDatagramSize bytes; 0 sends enhancement layers on streams, a subgroup each
   * @returns nothing for a delta frame before the first key frame, or for one that depends on a frame
   * that was left out
   */
  packetize(frame: EncodedVideo, maxDatagramSize: number): ObjectPlan[] {
    if (frame.key) this.startGroup()
    else if (this.frame < 0) return []
    const layer = this.layerOf(frame)
    if (layer > 0 && !this.isBaseSync(layer) && this.leftOut < layer) {
      this.leaveOut(frame)
      return []
    }
    if (!frame.key) this.frame++
    if (layer === 0) this.startBase()
    const plans =
      layer === 0
        ? [this.plan(frame, layer, 0, 1, frame.bytes, 'stream')]
        : this.enhancement(frame, layer, maxDatagramSize)
    this.previousLayer = layer
    return plans
  }

  /**
   * To be told of a frame that was encoded and is not sent: the marks of those behind it tell what they
   * depend on, whatever was sent. It gets no number, so that nobody waits for it. Behind a base frame
   * that was left out, nothing is sent before the next key frame.
   */
  leaveOut(frame: EncodedVideo): void {
    const layer = this.layerOf(frame)
    if (layer === 0) this.frame = -1
    this.previousLayer = layer
    this.leftOut = Math.min(this.leftOut, layer)
  }

  private layerOf(frame: EncodedVideo): number {
    return frame.key ? 0 : Math.min(frame.temporalLayer, this.temporalLayers - 1)
  }

  private startGroup(): void {
    this.group++
    this.object = 0
    this.frame = 0
  }

  private startBase(): void {
    this.baseIndex = (this.baseIndex + 1) & 0xff
    this.leftOut = Number.POSITIVE_INFINITY
  }

  /** In the patterns L1T2 and L1T3, layer 1 and whatever follows the base refer to the base only. */
  private isBaseSync(layer: number): boolean {
    return layer > 0 && (layer === 1 || this.previousLayer === 0)
  }

  private enhancement(frame: EncodedVideo, layer: number, maxDatagramSize: number): ObjectPlan[] {
    const room =
      Math.min(maxDatagramSize, DATAGRAM_CEILING) -
      DATAGRAM_HEADER_BYTES -
      SFRAME_BYTES -
      PROPERTIES_BYTES
    const count = Math.max(1, Math.ceil(frame.bytes.length / room))
    if (room < MIN_FRAGMENT_BYTES || count > MAX_FRAGMENTS) {
      return [this.plan(frame, layer, 0, 1, frame.bytes, 'stream')]
    }
    // Equal cuts: the last datagram of a frame is no likelier to be lost than the others.
    const size = Math.ceil(frame.bytes.length / count)
    const plans: ObjectPlan[] = []
    for (let index = 0; index < count; index++) {
      const payload = frame.bytes.subarray(index * size, (index + 1) * size)
      plans.push(this.plan(frame, layer, index, count, payload, 'datagram'))
    }
    return plans
  }

  private plan(
    frame: EncodedVideo,
    layer: number,
    index: number,
    count: number,
    payload: Uint8Array,
    delivery: ObjectPlan['delivery'],
  ): ObjectPlan {
    const media: MediaProperties = {
      timestamp: frame.timestamp,
      frame: this.frame,
      frameMarking: {
        start: index === 0,
        end: index === count - 1,
        independent: frame.key,
        discardable: layer > 0 && layer === this.temporalLayers - 1,
        layer: this.temporalLayers > 1 ? this.layerMarking(layer) : null,
      },
    }
    if (count > 1) media.fragment = { index, count }
    if (frame.key && frame.config) media.videoConfig = frame.config
    return {
      ...encodeMediaProperties(media),
      group: this.group,
      object: this.object++,
      delivery,
      subgroup: delivery === 'stream' ? layer : 0,
      temporalLayer: layer,
      last: false,
      payload,
    }
  }

  private layerMarking(layer: number) {
    return {
      temporal: layer,
      spatial: 0,
      baseIndex: this.baseIndex,
      baseSync: this.isBaseSync(layer),
    }
  }
}

export interface AudioPacketizerOptions {
  /** Frames that share a group and so a stream; default 5. One confines a loss to one frame. */
  readonly framesPerGroup?: number
  /** As of video. */
  readonly firstGroup?: number
}

export const DEFAULT_AUDIO_FRAMES_PER_GROUP = 5

export class AudioPacketizer {
  private readonly framesPerGroup: number
  private group: number
  private object = 0

  constructor(options: AudioPacketizerOptions = {}) {
    this.framesPerGroup = options.framesPerGroup ?? DEFAULT_AUDIO_FRAMES_PER_GROUP
    this.group = options.firstGroup ?? 0
  }

  packetize(frame: EncodedAudio): ObjectPlan {
    if (this.object === this.framesPerGroup) this.startGroup()
    const object = this.object++
    return {
      ...encodeMediaProperties({
        timestamp: frame.timestamp,
        audioLevel: { level: frame.level, voice: frame.voice },
      }),
      group: this.group,
      object,
      delivery: 'stream',
      subgroup: 0,
      temporalLayer: 0,
      last: this.object === this.framesPerGroup,
      payload: frame.bytes,
    }
  }

  /** Ends a group early, e.g. on mute: the next frame opens another. The caller ends its stream. */
  startGroup(): void {
    if (this.object === 0) return
    this.group++
    this.object = 0
  }
}
