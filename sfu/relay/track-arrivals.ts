import {
  ABSENT,
  MAX_LAYERS,
  parseParticipantNamespace,
  parseTrackName,
  readTimestampMicros,
  type TrackKind,
} from '../../moq/media/index.ts'
import { type FullTrackName, textOf } from '../../moq/wire/names.ts'
import type { MoqObject } from '../../moq/wire/object.ts'
import type { FeedbackMeters, TrackMeter } from '../feedback/index.ts'

const MEDIA: ReadonlySet<TrackKind | undefined> = new Set([
  'audio',
  'video',
  'screen',
  'screen-audio',
])

/**
 * What arrives of a participant's sound or picture and what is wanted of it, for the feedback to its
 * publisher. Metered while somebody publishes it; nothing is allocated for an object.
 */
export class TrackArrivals {
  private readonly meters: FeedbackMeters
  private readonly room: string
  private readonly participant: string
  private readonly name: string
  private meter: TrackMeter | null = null
  private layers = 0

  private constructor(meters: FeedbackMeters, room: string, participant: string, name: string) {
    this.meters = meters
    this.room = room
    this.participant = participant
    this.name = name
  }

  /** @returns null for a track that is not media of a participant's */
  static of(track: FullTrackName, meters: FeedbackMeters): TrackArrivals | null {
    const name = textOf(track.name) ?? ''
    if (!MEDIA.has(parseTrackName(name)?.kind)) return null
    const place = parseParticipantNamespace(track.namespace)
    return place && new TrackArrivals(meters, place.room, place.participant, name)
  }

  /** A publisher of it is there. @param now ms */
  begin(now: number): void {
    if (this.meter) return
    this.meter = this.meters.of(this.room, this.participant, now).track(this.name, now)
    this.meter?.want(this.layers)
  }

  /** An object came that the publisher did not send before. @param now ms */
  received(object: MoqObject, now: number): void {
    const { meter } = this
    if (meter === null) return
    const { body, propertiesStart, propertiesSize, payloadLength } = object
    meter.received(object.group, object.object, payloadLength, object.subgroup === null)
    if (propertiesSize === 0) return
    const timestamp = readTimestampMicros(body, propertiesStart, propertiesStart + propertiesSize)
    if (timestamp !== ABSENT) meter.delay.add(now, timestamp)
  }

  /** @param layers temporal layers that subscribers want now, from the base up; 0 when nobody does */
  want(layers: number): void {
    this.layers = Math.min(layers, MAX_LAYERS)
    this.meter?.want(this.layers)
  }

  wantKeyFrame(): void {
    this.meter?.wantKeyFrame()
  }

  /** A group began. */
  gotKeyFrame(): void {
    this.meter?.gotKeyFrame()
  }

  /** Nobody publishes it any more. Idempotent. */
  end(): void {
    if (this.meter) this.meters.removeTrack(this.room, this.participant, this.name)
    this.meter = null
  }
}
