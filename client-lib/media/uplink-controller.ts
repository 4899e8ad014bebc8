/**
 * From a relay's feedback to the settings of our encoders: how many bits a second for each rendition, how
 * many frames, and which renditions are encoded at all. What nobody watches is not encoded, and layers
 * that nobody takes are not sent. Steps down are taken at once, steps up slowly and after proof, so that
 * the picture does not swing with the path. Pure: the time is passed in.
 */

import type { PublisherFeedback, TrackFeedback } from '../../moq/media/index.ts'

/** One track that we encode: a rendition of the camera, or a screen. The smallest comes first. */
export interface RenditionLimits {
  /** Track name, as feedback tells it. */
  readonly name: string
  /** Below so many bits a second the picture is not worth sending at its size. */
  readonly minBitrate: number
  readonly maxBitrate: number
  /** Frames a second. */
  readonly framerate: number
  /** 1..3 */
  readonly temporalLayers: number
}

export interface RenditionPlan {
  readonly name: string
  /** Encoded at all. */
  readonly active: boolean
  /** Bits a second. */
  readonly bitrate: number
  /** Frames a second. */
  readonly framerate: number
  /**
   * Temporal layers that are sent. All are encoded: so the others are back at once and without a key
   * frame when somebody takes them again.
   */
  readonly temporalLayers: number
}

export interface UplinkControllerOptions {
  /** The smallest first: it is the last to be given up. */
  readonly renditions: readonly RenditionLimits[]
  /** What sound and the rest of us take, bits a second. */
  readonly reserved?: number
  /** Bits a second before the relay says anything. */
  readonly startBitrate?: number
  /** Bits a second of all renditions together, whatever the path bears. */
  readonly maxBitrate?: number
  readonly onPlan: (plans: readonly RenditionPlan[]) => void
  /** A track has to begin a group. Asked again while it stays so. */
  readonly onKeyFrameWanted?: (name: string) => void
}

/** The share of the estimate that is used: an encoder overshoots. */
const USED = 0.9
/** Growth of what is used, a second, and the least step of it, bits/s. */
const RISE = 0.15
const LEAST_RISE = 30_000
/** The same while the path has not been too narrow for so long, ms. */
const CALM_RISE = 0.6
const CALM_MS = 10_000
/** To begin a rendition there has to be this much more than it needs, for so long, ms. */
export const PROOF = 1.2
const PROOF_MS = 2000
/** On a calm path, or with so many times what it needs: until what is not wanted is known. */
const SHORT_PROOF_MS = 500
const PLENTY = 2
/** What nobody watches goes on for so long, ms: somebody changes between two pictures. */
const UNWATCHED_MS = 2000
/** Fewer layers are wanted for so long, ms, before frames are saved. */
const FEWER_LAYERS_MS = 1000
/** A feedback raises by at most so much time, however late it comes, ms. */
const MOST_STEP_MS = 300
const KEY_FRAME_GAP_MS = 500
/** What the smallest picture that somebody watches gets in any case, bits/s: an encoder needs some. */
export const LEAST_BITRATE = 30_000
/** An encoder is told of a bitrate only when it differs by this share. */
const NOTICEABLE = 0.05

interface Rendition {
  readonly limits: RenditionLimits
  active: boolean
  bitrate: number
  framerate: number
  /** Layers that somebody takes, now and after a while of fewer. */
  layers: number
  wanted: boolean
  /** Until when it is not begun beside a smaller one; ms. */
  heldUntil: number
  watchedAt: number
  layersAt: number
  /** Since when there is enough to begin it; null: there is not. */
  provenSince: number | null
  keyFrameAt: number
}

export class UplinkController {
  private readonly options: UplinkControllerOptions
  private readonly renditions: Rendition[]
  private target: number
  /** When the path was last too narrow for the target, ms. */
  private narrowAt = Number.NEGATIVE_INFINITY
  private updatedAt = Number.NEGATIVE_INFINITY
  private plans: readonly RenditionPlan[]

  /** @param now ms */
  constructor(options: UplinkControllerOptions, now: number) {
    this.options = options
    this.target = options.startBitrate ?? 600_000
    this.renditions = options.renditions.map((limits) => ({
      limits,
      active: false,
      bitrate: limits.minBitrate,
      framerate: limits.framerate,
      layers: limits.temporalLayers,
      wanted: false,
      heldUntil: Number.NEGATIVE_INFINITY,
      watchedAt: now - UNWATCHED_MS,
      layersAt: now,
      provenSince: null,
      keyFrameAt: Number.NEGATIVE_INFINITY,
    }))
    this.plans = this.renditions.map(planOf)
  }

  /** What the encoders do now, in the order of the renditions. */
  get plan(): readonly RenditionPlan[] {
    return this.plans
  }

  /** Each feedback that comes; an older one than the last is for the caller to leave out. */
  onFeedback(feedback: PublisherFeedback, now: number): void {
    const elapsed = Math.min(MOST_STEP_MS, Math.max(0, now - this.updatedAt))
    this.updatedAt = now
    if (feedback.estimate !== null) this.follow(feedback.estimate * USED, elapsed, now)
    for (const rendition of this.renditions) {
      const told = feedback.tracks.find(({ name }) => name === rendition.limits.name)
      this.note(rendition, told, now)
    }
    this.allot(now)
    this.publish()
  }

  /**
   * A rendition cannot be encoded for now, e.g. for want of processor time: it is given up where a
   * smaller one is encoded. @param until ms
   */
  hold(name: string, until: number): void {
    const rendition = this.renditions.find(({ limits }) => limits.name === name)
    if (rendition) rendition.heldUntil = until
  }

  /** Down at once, up slowly. */
  private follow(bitrate: number, elapsed: number, now: number): void {
    if (bitrate < this.target) this.narrowAt = now
    const share = this.isCalm(now) ? CALM_RISE : RISE
    const rise = Math.max(this.target * share, LEAST_RISE) * (elapsed / 1000)
    this.target = Math.min(bitrate, this.target + rise)
  }

  private isCalm(now: number): boolean {
    return now - this.narrowAt >= CALM_MS
  }

  private note(rendition: Rendition, told: TrackFeedback | undefined, now: number): void {
    const { limits } = rendition
    const layers = Math.min(told?.layers ?? 0, limits.temporalLayers)
    if (layers > 0) rendition.watchedAt = now
    rendition.wanted = now - rendition.watchedAt < UNWATCHED_MS
    if (layers >= rendition.layers) rendition.layersAt = now
    const isFewer = layers > 0 && now - rendition.layersAt >= FEWER_LAYERS_MS
    if (layers > rendition.layers || isFewer) rendition.layers = layers
    if (!told?.keyFrameWanted || now - rendition.keyFrameAt < KEY_FRAME_GAP_MS) return
    rendition.keyFrameAt = now
    this.options.onKeyFrameWanted?.(limits.name)
  }

  /** The smallest picture first gets what it needs, then the next; what is left goes to the largest. */
  private allot(now: number): void {
    const { reserved = 0, maxBitrate = Number.POSITIVE_INFINITY } = this.options
    let left = Math.min(maxBitrate, Math.max(0, this.target - reserved))
    let isFirst = true
    const chosen: Rendition[] = []
    for (const rendition of this.renditions) {
      rendition.active = rendition.wanted && this.isBorne(rendition, left, isFirst, now)
      if (!rendition.active) continue
      const { minBitrate } = rendition.limits
      rendition.bitrate = Math.min(minBitrate, isFirst ? Math.max(LEAST_BITRATE, left) : left)
      left = Math.max(0, left - rendition.bitrate)
      isFirst = false
      chosen.push(rendition)
    }
    for (const rendition of chosen.reverse()) {
      const { maxBitrate } = rendition.limits
      const more = Math.min(left, Math.max(0, maxBitrate - rendition.bitrate))
      rendition.bitrate += more
      left -= more
      rendition.framerate = framerateOf(rendition)
    }
  }

  /** The smallest picture that somebody watches is always sent, with fewer frames where need be. */
  private isBorne(rendition: Rendition, left: number, isFirst: boolean, now: number): boolean {
    if (isFirst) return true
    const { minBitrate } = rendition.limits
    if (now < rendition.heldUntil) return false
    if (rendition.active) {
      rendition.provenSince = null
      return left >= minBitrate
    }
    // It goes on for a while unwatched, but does not begin so.
    if (left < minBitrate * PROOF || rendition.watchedAt < now) {
      rendition.provenSince = null
      return false
    }
    rendition.provenSince ??= now
    const isPlenty = this.isCalm(now) || left >= minBitrate * PLENTY
    return now - rendition.provenSince >= (isPlenty ? SHORT_PROOF_MS : PROOF_MS)
  }

  private publish(): void {
    const plans = this.renditions.map((rendition, at) => steady(planOf(rendition), this.plans[at]!))
    if (plans.every((plan, at) => plan === this.plans[at])) return
    this.plans = plans
    this.options.onPlan(plans)
  }
}

function planOf({ limits, active, bitrate, framerate, layers }: Rendition): RenditionPlan {
  const { name } = limits
  return {
    name,
    active,
    bitrate: active ? Math.round(bitrate) : 0,
    framerate,
    temporalLayers: layers,
  }
}

/** A picture that gets little has fewer frames. */
function framerateOf({ limits, bitrate }: Rendition): number {
  const { framerate, minBitrate } = limits
  if (bitrate >= minBitrate) return framerate
  return bitrate >= minBitrate / 2 ? framerate / 2 : framerate / 4
}

/** What is told, unless it hardly differs from what was told before. */
function steady(plan: RenditionPlan, before: RenditionPlan): RenditionPlan {
  const isSame =
    plan.active === before.active &&
    plan.framerate === before.framerate &&
    plan.temporalLayers === before.temporalLayers
  const change = plan.bitrate - before.bitrate
  // A step down of any size is needed; a small step up is not.
  const isSmall = change >= 0 && change <= before.bitrate * NOTICEABLE
  return isSame && isSmall ? before : plan
}
