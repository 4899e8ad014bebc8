import {
  ABSENT,
  baseIndexOf,
  findRendition,
  parseParticipantNamespace,
  parseTrackName,
  type RenditionFacts,
  temporalLayerOf,
} from '../../../moq/media/index.ts'
import type { PictureSource } from '../../../moq/media/receiver-report.ts'
import { type FullTrackName, textOf } from '../../../moq/wire/names.ts'
import type { Property } from '../../../moq/wire/properties.ts'
import { UNMARKED } from '../../forward/object.ts'
import { offerOf, RateMeter, type RenditionOffer } from '../../forward/select/index.ts'

/** What was found out of a track holds for so long, ms: its subscribers ask each for itself. */
const FRESH_MS = 200
/** A rate is that of the layers that were asked for all this time, ms; see `RateMeter`. */
const MEASURED_MS = 4000

/** The temporal layer by which an object is chosen: a stream without TL0PICIDX is had whole or not. */
export function chosenLayerOf(marking: number): number {
  return marking === UNMARKED || baseIndexOf(marking) === ABSENT ? 0 : temporalLayerOf(marking)
}

/**
 * What receivers choose a participant's track by, and what it takes of their budgets; the same for all
 * of its subscribers.
 */
export class TrackOffer {
  readonly room: string
  readonly participant: string
  /** Null for sound. */
  readonly source: PictureSource | null
  /** Of a camera; 0 for what has no renditions. */
  readonly rendition: number
  /** When its last object came, ms. */
  lastAt = Number.NEGATIVE_INFINITY
  private readonly meter = new RateMeter()
  private facts: RenditionFacts | null = null
  /** Temporal layers that the publisher was asked for all the time that is measured, and since when more. */
  private asked = 0
  private askedNow = 0
  private raisedAt = 0
  private found: RenditionOffer | null = null
  private foundAt = 0
  private measured = false

  private constructor(
    room: string,
    participant: string,
    source: PictureSource | null,
    rendition: number,
  ) {
    this.room = room
    this.participant = participant
    this.source = source
    this.rendition = rendition
  }

  /** @returns null for what is no sound or picture of a participant's */
  static of(name: FullTrackName): TrackOffer | null {
    const place = parseParticipantNamespace(name.namespace)
    const track = parseTrackName(textOf(name.name) ?? '')
    if (!place || !track) return null
    const { room, participant } = place
    switch (track.kind) {
      case 'video':
        return new TrackOffer(room, participant, 'camera', track.rendition!)
      case 'screen':
        return new TrackOffer(room, participant, 'screen', 0)
      case 'audio':
      case 'screen-audio':
        return new TrackOffer(room, participant, null, 0)
      default:
        return null
    }
  }

  /** The track's properties, as its publisher told them. */
  learn(properties: readonly Property[]): void {
    this.facts = findRendition(properties)
    this.found = null
  }

  /** For each object that is new to the track. @param now ms */
  add(marking: number, bytes: number, now: number): void {
    this.lastAt = now
    this.meter.add(chosenLayerOf(marking), bytes, now)
  }

  /** What the publisher is asked for from now on. @param layers 0..8 */
  ask(layers: number, now: number): void {
    if (layers > this.askedNow) {
      this.settle(now)
      this.raisedAt = now
    }
    this.askedNow = layers
    this.asked = Math.min(this.asked, layers)
  }

  /** The track as it can be chosen. */
  at(now: number): RenditionOffer {
    if (this.found && now - this.foundAt < FRESH_MS) return this.found
    this.settle(now)
    const measured = this.meter.cumulative(now)
    this.measured = measured !== null
    this.found = offerOf(this.rendition, this.facts, measured, this.asked, this.meter.share(now))
    this.foundAt = now
    return this.found
  }

  /** Bits a second of all of it: what it takes where nothing is chosen. */
  bits(now: number): number {
    const { layerBits } = this.at(now)
    return this.measured || this.source !== null ? layerBits.at(-1)! : 0
  }

  private settle(now: number): void {
    if (now - this.raisedAt >= MEASURED_MS) this.asked = this.askedNow
  }
}
