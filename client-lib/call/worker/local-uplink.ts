import type { PublisherFeedback, TrackFeedback } from '../../../moq/media/index.ts'
import type { Clock } from '../../../moq/session/index.ts'
import { PathGuess } from '../../media/path-guess.ts'
import { limitsOf } from '../../media/renditions.ts'
import { UplinkController } from '../../media/uplink-controller.ts'
import type { LocalRendition, RenditionReading } from './local-rendition.ts'

export interface LocalUplinkOptions {
  /** The smallest first. */
  readonly renditions: readonly LocalRendition[]
  /** Bits a second of all renditions together. */
  readonly maxBitrate?: number
  readonly clock: Clock
}

const TICK_MS = 200
/** Without a word of the relay's for so long, ms, we go by what we see ourselves. */
const FEEDBACK_LOST_MS = 3000
/**
 * An uplink that bears less than this, bits a second, shows on our own side, too: bytes wait. Where they
 * do not, it is a machine without time that makes objects late, and fewer bits would not help it.
 */
const NARROW_BITRATE = 250_000
/** What sound and state take, bits a second. */
const RESERVED_BITRATE = 60_000

/** Frames that an encoder has no time for, as a share of what it is given, and for how long, ms. */
const OVERLOAD_SHARE = 0.3
const OVERLOAD_MS = 2000
/** Fewer frames than this tell nothing. */
const OVERLOAD_LEAST_FRAMES = 10
/** How long a rendition that the machine has no time for is left out: at first, and at most. */
const FIRST_HOLD_MS = 30_000
const LAST_HOLD_MS = 480_000

const NOTHING_TOLD: PublisherFeedback = { bitrate: 0, estimate: null, tracks: [] }

interface Load {
  input: number
  missed: number
  holdMs: number
}

/**
 * What of our camera is encoded, and with how many bits: by the relay's feedback; where the relay gives
 * none, by what is subscribed to and what our own side shows of the path. Beside either, a rendition for
 * which the machine has no time is given up for a while, the largest first.
 */
export class LocalUplink {
  private readonly options: LocalUplinkOptions
  private readonly controller: UplinkController
  private readonly guess: PathGuess
  private readonly loads = new Map<LocalRendition, Load>()
  private told: PublisherFeedback = NOTHING_TOLD
  private heardAt = Number.NEGATIVE_INFINITY
  private tickedAt: number
  private loadSince: number
  private cancelTick: () => void = () => {}

  constructor(options: LocalUplinkOptions) {
    this.options = options
    const { renditions, maxBitrate, clock } = options
    const now = clock.now()
    const limits = renditions.map(({ name, settings }) => limitsOf(name, settings))
    const most = limits.reduce((sum, limit) => sum + limit.maxBitrate, 0)
    // With room above, so that what the plan keeps back is not missing.
    this.guess = new PathGuess((most + RESERVED_BITRATE) * 1.2, now)
    for (const rendition of renditions) {
      this.loads.set(rendition, { input: 0, missed: 0, holdMs: FIRST_HOLD_MS })
    }
    this.tickedAt = now
    this.loadSince = now
    this.controller = new UplinkController(
      {
        renditions: limits,
        reserved: RESERVED_BITRATE,
        ...(maxBitrate !== undefined && { maxBitrate }),
        onPlan: (plans) => {
          for (const [at, rendition] of renditions.entries()) rendition.follow(plans[at]!)
        },
        onKeyFrameWanted: (name) => renditions.find((of) => of.name === name)?.requestKeyFrame(),
      },
      now,
    )
    this.tick()
  }

  /** Whether the relay says what it wants. */
  get isTold(): boolean {
    return this.options.clock.now() - this.heardAt < FEEDBACK_LOST_MS
  }

  /** The relay's newest feedback. */
  onFeedback(feedback: PublisherFeedback): void {
    this.told = feedback
    this.heardAt = this.options.clock.now()
    this.planAsTold()
  }

  /** Somebody began or ceased to want a rendition's objects. */
  onDemand(): void {
    if (this.isTold) this.planAsTold()
    else this.planByOurselves()
  }

  close(): void {
    this.cancelTick()
  }

  private tick(): void {
    const { clock, renditions } = this.options
    this.cancelTick = clock.after(TICK_MS, () => this.tick())
    const now = clock.now()
    const elapsed = now - this.tickedAt
    this.tickedAt = now
    let refused = 0
    let bytes = 0
    for (const rendition of renditions) {
      const reading = rendition.takeReading()
      refused += reading.refused
      bytes += reading.bytes
      this.noteLoad(rendition, reading)
    }
    if (now - this.loadSince >= OVERLOAD_MS) this.judgeLoad(now)
    if (elapsed <= 0) return
    const buffered = renditions.reduce((sum, { track }) => sum + track.buffered, 0)
    this.guess.update({ buffered, refused, bitrate: (bytes * 8000) / elapsed }, now)
    if (!this.isTold) this.planByOurselves()
  }

  /** A track that the relay does not tell of, perhaps not yet, is wanted where it is subscribed to. */
  private planAsTold(): void {
    const { bitrate, estimate: told, tracks } = this.told
    const estimate =
      told === null ? null : Math.max(told, Math.min(NARROW_BITRATE, this.guess.estimate))
    const untold = this.options.renditions.filter(
      (rendition) => !tracks.some(({ name }) => name === rendition.name),
    )
    const all = untold.length === 0 ? tracks : [...tracks, ...untold.map(asSubscribed)]
    this.controller.onFeedback({ bitrate, estimate, tracks: all }, this.options.clock.now())
  }

  /** As a relay's feedback would be, of what we know ourselves. */
  private planByOurselves(): void {
    const { clock, renditions } = this.options
    const estimate = Math.round(this.guess.estimate)
    const tracks = renditions.map(asSubscribed)
    this.controller.onFeedback({ bitrate: 0, estimate, tracks }, clock.now())
  }

  private noteLoad(rendition: LocalRendition, { input, missed }: RenditionReading): void {
    const load = this.loads.get(rendition)!
    load.input += input
    load.missed += missed
  }

  private judgeLoad(now: number): void {
    this.loadSince = now
    let largest: LocalRendition | null = null
    let isOverloaded = false
    for (const rendition of this.options.renditions) {
      const load = this.loads.get(rendition)!
      const { input, missed } = load
      if (rendition.active) largest = rendition
      if (input >= OVERLOAD_LEAST_FRAMES && missed / input >= OVERLOAD_SHARE) isOverloaded = true
      load.input = 0
      load.missed = 0
    }
    if (!isOverloaded || !largest) return
    const load = this.loads.get(largest)!
    this.controller.hold(largest.name, now + load.holdMs)
    load.holdMs = Math.min(LAST_HOLD_MS, load.holdMs * 2)
  }
}

function asSubscribed({ name, track, settings }: LocalRendition): TrackFeedback {
  const layers = track.wanted ? settings.temporalLayers : 0
  return { name, bitrate: 0, lossPermille: 0, jitterMs: 0, layers, keyFrameWanted: false }
}
