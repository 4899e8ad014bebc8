import { crc32 } from 'node:zlib'
import { type ArrivalCounts, DelayTrack } from '../../../client-lib/media/arrival-meter.ts'
import {
  decodeMediaProperties,
  immutableOf,
  MediaFormatError,
  ObjectMetadata,
} from '../../../moq/media/index.ts'
import type { Session } from '../../../moq/session/index.ts'
import { type FullTrackName, formatTrack, textOf } from '../../../moq/wire/names.ts'
import { type MoqObject, ObjectStatus } from '../../../moq/wire/object.ts'
import { SFrameError } from '../../../sframe/index.ts'
import { SeenObjects } from '../figures/seen-objects.ts'
import { StallWatch } from '../figures/stall-watch.ts'
import type { ParticipantKeys } from '../keys/participant-keys.ts'
import { CLASS_INDEX, OBJECT_CLASSES, objectClassOf } from '../media/object-class.ts'
import type { TrackSpec } from '../media/profile.ts'
import { readStamp } from '../media/stamp.ts'
import type { ReceivedPicture } from './received-picture.ts'
import type { Opening, TrackOpenings } from './shared-openings.ts'
import type { LabelFigures, World } from './world.ts'

export interface ReceivedTrackOptions {
  readonly session: Session
  /** Whose it is. */
  readonly publisher: string
  readonly track: FullTrackName
  readonly spec: TrackSpec
  readonly keys: Pick<ParticipantKeys, 'receiver' | 'placeOf'>
  /** Null for sound. */
  readonly picture: ReceivedPicture | null
  readonly world: World
  readonly figures: LabelFigures
  /** Each object that came for the first time. */
  readonly onArrival: (bytes: number) => void
  readonly onRefused: (reason: string) => void
}

/** What came of one track, to be set against what its publisher sent; it crosses between processes. */
export interface ReceivedTrackData {
  readonly publisher: string
  readonly track: string
  /** When it was asked for, ms of the machine's clock. */
  readonly watchedAt: number
  /** When the first object came that it has a key for; what was sent later is expected. Null: none came. */
  readonly firstAt: number | null
  /** Of what was sent after that: by phase, then by class. */
  readonly received: readonly (readonly number[])[]
  /** Group, object and CRC-32 of each, in turn; empty where bytes are not compared. */
  readonly checksums: Float64Array
}

/** Sound that comes later than this behind the frame before is heard, ms. */
const AUDIO_GAP_MS = 40

/** As the browser library has them (draft-18 section 7): sound before picture. */
const AUDIO_PRIORITY = 32
const PICTURE_PRIORITY = 96
const RENDEZVOUS_MS = 10_000
/** Objects of an epoch whose keys are not there yet: how many wait, and how long (ms). */
const MAX_EARLY = 128
const EARLY_MS = 3000

/** An object that came for the first time. */
interface Arrived {
  readonly object: MoqObject
  /** ms of the machine's clock. */
  readonly at: number
}

/**
 * A subscription of a synthetic participant's: every object is decrypted, or is the same as one that was
 * (see `SharedOpenings`), and accounted for.
 */
export class ReceivedTrack {
  private readonly options: ReceivedTrackOptions
  private readonly metadata: ObjectMetadata
  private readonly openings: TrackOpenings | null
  private readonly window: string
  private readonly seen = new SeenObjects()
  private readonly gaps: StallWatch | null
  private readonly counts: number[][]
  private readonly checksums: number[] = []
  private readonly delay = new DelayTrack()
  private readonly beganAt: number
  private arrived = 0
  /** Wait for keys. */
  private early: Arrived[] = []
  private firstArrivalAt: number | null = null
  /** The publisher ended it, or is gone: what does not come any more is not missed. */
  private over = false

  constructor(options: ReceivedTrackOptions) {
    const { session, publisher, track, spec, world } = options
    this.options = options
    this.metadata = new ObjectMetadata(track)
    this.window = `${publisher} ${textOf(track.name)}`
    this.openings = world.openings?.of(formatTrack(track)) ?? null
    this.gaps = spec.kind === 'audio' ? new StallWatch(AUDIO_GAP_MS) : null
    this.beganAt = world.clock.now()
    this.counts = Array.from({ length: world.phases.count }, () => OBJECT_CLASSES.map(() => 0))
    session.subscribe(
      track,
      {
        rendezvousTimeout: RENDEZVOUS_MS,
        subscriberPriority: spec.kind === 'audio' ? AUDIO_PRIORITY : PICTURE_PRIORITY,
        ...(spec.kind === 'audio' && { filter: { kind: 'largest-object' } }),
      },
      {
        onObject: (object) => this.onObject(object),
        onRejected: ({ reason }) => options.onRefused(`${this.window}: ${reason}`),
        onDone: () => {
          this.over = true
        },
      },
    )
  }

  /** When the first object came, ms of the machine's clock. */
  get firstAt(): number | null {
    return this.firstArrivalAt
  }

  /** For reports to the relay. */
  get arrivals(): ArrivalCounts {
    const { spec, picture } = this.options
    const rendition = spec.kind === 'audio' ? 0 : (spec.rendition ?? 0)
    return {
      received: this.arrived,
      lost: picture?.brokenFrames(rendition) ?? 0,
      delay: this.delay,
    }
  }

  /** There are keys that were not there before. */
  retry(): void {
    const { clock } = this.options.world
    const waiting = this.early
    this.early = []
    for (const arrived of waiting) {
      if (clock.now() - arrived.at <= EARLY_MS) this.open(arrived)
      else this.undecryptable(arrived.at)
    }
  }

  /** Measuring ends, or the publisher leaves as planned. */
  end(now: number): void {
    if (this.over) return
    this.over = true
    this.gaps?.note(now, this.phaseAt(now)?.audioGaps ?? null)
  }

  result(): ReceivedTrackData {
    const { publisher, track } = this.options
    return {
      publisher,
      track: textOf(track.name) ?? '',
      watchedAt: this.beganAt,
      firstAt: this.firstArrivalAt,
      received: this.counts,
      checksums: Float64Array.from(this.checksums),
    }
  }

  private onObject(object: MoqObject): void {
    if (object.status !== ObjectStatus.NORMAL) return
    const { world, spec } = this.options
    const at = world.clock.now()
    if (!this.seen.add(object.group, object.object)) {
      // Its layer is not looked at again: what comes twice is a fault in any.
      this.phaseAt(at)?.cameAgain(objectClassOf(spec.kind, 0))
      return
    }
    this.arrived++
    this.open({ object, at })
  }

  private open(arrived: Arrived): void {
    const { object } = arrived
    const known = this.openings?.find(object)
    if (known) {
      this.opened(arrived, known)
      return
    }
    try {
      const immutable = immutableOf(object.properties)
      const metadata = this.metadata.of(object.group, object.object, immutable)
      const opened = this.options.keys.receiver.decrypt(object.payload, metadata, this.window)
      // Only a key that is not derived yet makes it wait.
      if (opened instanceof Promise) {
        opened
          .then((plaintext) => this.read(arrived, immutable, plaintext))
          .catch((error) => this.failed(error, arrived))
      } else this.read(arrived, immutable, opened)
    } catch (error) {
      this.failed(error, arrived)
    }
  }

  /** @throws MediaFormatError */
  private read(arrived: Arrived, immutable: Uint8Array, plaintext: Uint8Array): void {
    const sentAt = readStamp(plaintext)
    if (sentAt === null) throw new MediaFormatError('no stamp')
    const media = this.options.picture ? decodeMediaProperties(immutable) : null
    const opening = { sentAt, media }
    this.openings?.keep(arrived.object, opening)
    this.opened(arrived, opening)
  }

  private opened({ object, at }: Arrived, { sentAt, media }: Opening): void {
    const { world, spec, picture, figures, onArrival } = this.options
    // An object that waited for its key is of use when there is one.
    const now = Math.max(at, world.clock.now())
    this.firstArrivalAt ??= at
    const { group, object: id, payload } = object
    if (media && picture && spec.kind !== 'audio') {
      picture.push(spec.rendition ?? 0, group, id, media)
    }
    const of = objectClassOf(spec.kind, media?.frameMarking?.layer?.temporal ?? 0)
    const latency = now - sentAt
    if (!this.over) this.gaps?.note(now, this.phaseAt(now)?.audioGaps ?? null)
    const step = figures.timeline.at(now)
    if (step) {
      step.objects++
      step.bytes += payload.length
    }
    this.delay.note(sentAt * 1000, at)
    onArrival(payload.length)
    const phase = world.phases.at(sentAt)
    if (phase < 0) return
    if (world.compareBytes) this.checksums.push(group, id, crc32(payload))
    // A newcomer is given what was sent before: that is not late.
    if (sentAt < this.beganAt) return
    figures.phases[phase]!.arrived(of, payload.length, latency, latency > world.lateMs)
    if (sentAt >= this.firstArrivalAt) this.counts[phase]![CLASS_INDEX[of]]!++
  }

  private failed(error: unknown, arrived: Arrived): void {
    if (error instanceof SFrameError && error.code === 'unknown-kid' && error.kid !== null) {
      const place = this.options.keys.placeOf(error.kid)
      if (place === 'before-us') return
      if (place === 'future') {
        this.early.push(arrived)
        if (this.early.length > MAX_EARLY) this.undecryptable(this.early.shift()!.at)
        return
      }
    }
    if (!(error instanceof SFrameError || error instanceof MediaFormatError)) throw error
    this.undecryptable(arrived.at)
  }

  private undecryptable(at: number): void {
    const phase = this.phaseAt(at)
    if (phase) phase.undecryptable++
  }

  private phaseAt(now: number) {
    const { figures, world } = this.options
    return figures.phases[world.phases.at(now)]
  }
}
