/**
 * The choice for one receiver over time. What does not fit any more is stepped down at once. A step up
 * needs proof: the path has delivered as much of late (`Budget.provenBitsPerSecond`), with something
 * to spare, and it fits for a while; longer each time that it had to be taken back. What a person does
 * (pins, enlarges, opens) waits for nothing but the proof, and a new picture not even for that.
 */

import { allocate, type Claim, type Tier } from './allocate.ts'
import { ladderOf, type RenditionOffer, type ShowLimits, type Step } from './ladder.ts'

export interface SourceInput {
  /** Whatever names the switching set or the lone track. */
  readonly key: string
  readonly tier: Tier
  /** 0..255, lower goes first. */
  readonly priority: number
  readonly kind: 'face' | 'screen'
  readonly limits: ShowLimits
  /** Ascending by size; those that could be had. */
  readonly renditions: readonly RenditionOffer[]
}

export interface SelectionInput {
  /** Bits a second: `Budget.bitsPerSecond` and `Budget.provenBitsPerSecond`. */
  readonly budget: number
  readonly proven: number
  /** Bits a second that go to what is not chosen here. */
  readonly reserved: number
  readonly sources: readonly SourceInput[]
}

export interface Selection {
  readonly key: string
  /** Null: nothing of it. */
  readonly step: Step | null
  /** The step that it would have without a budget: what the publisher is to be told is wanted. */
  readonly wanted: Step | null
}

/** A step up leaves this much of what is proven. */
const UP_SHARE = 0.9
/** A step up has to fit for so long, ms; twice as long each time that it was taken back soon. */
const HOLD_MS = 1000
const MAX_HOLD_MS = 30_000
/** With so much more room than the one that was taken back had, it is another step. */
const MUCH_MORE = 1.5
/** Taken back soon, and calm again, ms. */
const SOON_MS = 10_000
const CALM_MS = 30_000

interface Memory {
  step: Step | null
  /** Whether it has something to show at all. */
  shown: boolean
  /** What a person can change. */
  wish: string
  /** Since when a higher step would fit, ms. */
  fitsSince: number
  holdMs: number
  raisedAt: number
  loweredAt: number
  /** Bits a second that there were for all when it was last raised, and the most with which that was in vain. */
  raisedWith: number
  vainWith: number
}

export class Selector {
  private readonly memories = new Map<string, Memory>()
  private wantedBits = 0

  /** Bits a second that all of it would take without a budget, for `Budget.want`. */
  get wanted(): number {
    return this.wantedBits
  }

  /** Chooses anew; called with each change of the input, and a few times a second. */
  update(now: number, { budget, proven, reserved, sources }: SelectionInput): Selection[] {
    const ladders = sources.map(({ renditions, limits, kind }) =>
      ladderOf(renditions, limits, kind),
    )
    const claims = sources.map(
      ({ tier, priority }, index): Claim => ({ tier, priority, ladder: ladders[index]! }),
    )
    const tops = ladders.reduce((sum, ladder) => sum + (ladder.at(-1)?.bits ?? 0), reserved)
    this.wantedBits = tops / UP_SHARE
    const room = Math.min(budget, proven) * UP_SHARE - reserved
    const goal = allocate(room, claims).steps
    this.forgetAllBut(sources)
    const memories = sources.map((source) => this.memoryOf(source, now))
    const limited = claims.map((claim, index) => ({
      ...claim,
      limit: limitOf(memories[index]!, claim.ladder, goal[index]!, room, now),
    }))
    const { steps } = allocate(budget - reserved, limited)
    return sources.map(({ key }, index) => {
      const ladder = ladders[index]!
      const step = ladder[steps[index]!] ?? null
      remember(memories[index]!, step, ladder, room, now)
      return { key, step, wanted: ladder.at(-1) ?? null }
    })
  }

  private memoryOf(source: SourceInput, now: number): Memory {
    const { width, height, framerate } = source.limits
    const wish = `${source.tier === 'front'} ${width}x${height} ${framerate}`
    let memory = this.memories.get(source.key)
    if (!memory) {
      memory = {
        step: null,
        shown: false,
        wish,
        fitsSince: Number.POSITIVE_INFINITY,
        holdMs: HOLD_MS,
        raisedAt: Number.NEGATIVE_INFINITY,
        loweredAt: Number.NEGATIVE_INFINITY,
        raisedWith: 0,
        vainWith: 0,
      }
      this.memories.set(source.key, memory)
    }
    if (memory.wish !== wish) {
      memory.wish = wish
      // As if it had fitted for long already, unless it was tried and taken back.
      if (memory.holdMs === HOLD_MS) memory.fitsSince = now - HOLD_MS
    }
    if (now - memory.loweredAt > CALM_MS) {
      memory.holdMs = HOLD_MS
      memory.vainWith = 0
    }
    return memory
  }

  private forgetAllBut(sources: readonly SourceInput[]): void {
    const keys = new Set(sources.map(({ key }) => key))
    for (const key of this.memories.keys()) if (!keys.has(key)) this.memories.delete(key)
  }
}

/** Highest step that the source may have now. */
function limitOf(
  memory: Memory,
  ladder: readonly Step[],
  goal: number,
  room: number,
  now: number,
): number {
  if (ladder.length === 0) return -1
  if (!memory.shown) return Math.max(0, goal)
  const current = indexOf(memory.step, ladder)
  if (goal <= current) {
    memory.fitsSince = Number.POSITIVE_INFINITY
    return current
  }
  memory.fitsSince = Math.min(memory.fitsSince, now)
  const fitsMs = now - memory.fitsSince
  const holdMs = room >= memory.vainWith * MUCH_MORE ? HOLD_MS : memory.holdMs
  if (fitsMs >= holdMs) return goal
  // No picture at all is worse than one that may go again.
  return current < 0 && fitsMs >= HOLD_MS ? 0 : current
}

/** The place of a step on a ladder whose costs, and so steps, may have changed; -1 below all. */
function indexOf(step: Step | null, ladder: readonly Step[]): number {
  if (!step) return -1
  const above = ladder.findIndex(
    ({ rendition, temporalLayers }) =>
      rendition > step.rendition ||
      (rendition === step.rendition && temporalLayers > step.temporalLayers),
  )
  // Cheaper and better steps may have replaced it.
  return above < 0 ? ladder.length - 1 : Math.max(0, above - 1)
}

function remember(
  memory: Memory,
  step: Step | null,
  ladder: readonly Step[],
  room: number,
  now: number,
): void {
  const before = memory.shown ? indexOf(memory.step, ladder) : -1
  const after = step ? indexOf(step, ladder) : -1
  if (after > before) {
    memory.raisedAt = now
    memory.raisedWith = room
    memory.fitsSince = Number.POSITIVE_INFINITY
  } else if (after < before && ladder.length > 0) {
    if (now - memory.raisedAt < SOON_MS) {
      memory.holdMs = Math.min(MAX_HOLD_MS, memory.holdMs * 2)
      memory.vainWith = Math.max(memory.vainWith, memory.raisedWith)
    }
    // A path that falls is followed in several steps: they take back one raise, not one each.
    memory.raisedAt = Number.NEGATIVE_INFINITY
    memory.loweredAt = now
  }
  memory.shown = ladder.length > 0
  memory.step = step
}
