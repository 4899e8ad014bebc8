/**
 * Which rendition a receiver takes where the relay does not choose for it: the smallest one that fills
 * the tile, or a smaller one while that does not flow well. Where the relay chooses (it follows our
 * reports) all are asked for and one comes at a time; that they come together shows that it does not.
 * Pure: time is passed in.
 */

/** One rendition, as the catalog has it. */
export interface RenditionSize {
  readonly id: number
  /** Pixels. */
  readonly width: number
  readonly height: number
}

/** What the tile can show; 0: no limit. */
export interface ShownSize {
  /** Device pixels. */
  readonly width: number
  readonly height: number
  readonly hidden: boolean
}

/** Of the rendition that was chosen, since it began. */
export interface FlowFigures {
  /** Objects that came. */
  readonly objects: number
  /** Frames that could be decoded, and that could not for want of something. */
  readonly frames: number
  readonly dropped: number
  /** The sender is muted, and nothing is to be expected. */
  readonly muted: boolean
}

/** Renditions that come side by side for so many looks in a row are not chosen among by anybody. */
const LOOK_MS = 250
const LOOKS = 12
/** Objects of a look from which on a rendition counts as coming. */
const FEW_OBJECTS = 2
const JUDGE_MS = 2000
const BAD_SHARE = 0.15
/** How long a larger rendition is left alone after it did not flow well, ms. */
const FIRST_HOLD_MS = 5000
const LONGEST_HOLD_MS = 60_000

export class RenditionChoice {
  private readonly figures: (id: number) => FlowFigures
  private sizes: readonly RenditionSize[] = []
  private relayChooses = false
  private choice = -1
  private shown: ShownSize = { width: 0, height: 0, hidden: false }
  private lookedAt = Number.NEGATIVE_INFINITY
  private counted = new Map<number, number>()
  private together = 0
  /** No rendition above this index of `sizes` is taken before `heldUntil`. */
  private limit = Number.POSITIVE_INFINITY
  private heldUntil = Number.NEGATIVE_INFINITY
  private holdMs = FIRST_HOLD_MS
  private judgedAt = Number.NEGATIVE_INFINITY
  private before: FlowFigures | null = null

  /** @param figures of a rendition that is there */
  constructor(figures: (id: number) => FlowFigures) {
    this.figures = figures
  }

  /** Id of the rendition to take; -1: none. Null: all, the relay chooses. */
  get chosen(): number | null {
    return this.relayChooses ? null : this.choice
  }

  /** Id of the smallest one that there is; -1: none. */
  get smallest(): number {
    return this.sizes[0]?.id ?? -1
  }

  /** The renditions that there are. */
  offer(sizes: readonly RenditionSize[]): void {
    this.sizes = sizes.toSorted((a, b) => a.width * a.height - b.width * b.height || a.id - b.id)
    this.choose()
  }

  show(shown: ShownSize): void {
    this.shown = shown
    this.choose()
  }

  /** The relay begins to follow our reports, or ends it. */
  setManaged(managed: boolean): void {
    this.relayChooses = managed
    this.together = 0
    this.counted.clear()
  }

  /** To be called some times a second. */
  update(now: number): void {
    if (now - this.lookedAt < LOOK_MS) return
    this.lookedAt = now
    if (this.relayChooses) this.look()
    else this.judge(now)
    this.choose()
  }

  private look(): void {
    let coming = 0
    for (const { id } of this.sizes) {
      const { objects } = this.figures(id)
      if (objects - (this.counted.get(id) ?? objects) >= FEW_OBJECTS) coming++
      this.counted.set(id, objects)
    }
    this.together = coming > 1 ? this.together + 1 : 0
    if (this.together >= LOOKS) this.relayChooses = false
  }

  private judge(now: number): void {
    const at = this.sizes.findIndex(({ id }) => id === this.choice)
    if (at < 0) return
    if (now >= this.heldUntil && this.limit < this.sizes.length) this.raise(now)
    if (this.before === null) this.begin(now)
    if (now - this.judgedAt < JUDGE_MS) return
    const before = this.before!
    this.begin(now)
    if (isBad(before, this.before!) && at > 0) this.lower(at, now)
  }

  private begin(now: number): void {
    this.judgedAt = now
    this.before = this.figures(this.choice)
  }

  private lower(at: number, now: number): void {
    this.limit = at - 1
    this.heldUntil = now + this.holdMs
    this.holdMs = Math.min(LONGEST_HOLD_MS, this.holdMs * 2)
  }

  private raise(now: number): void {
    this.limit++
    this.heldUntil = now + JUDGE_MS * 2
    if (this.limit >= this.sizes.length) this.limit = Number.POSITIVE_INFINITY
  }

  private choose(): void {
    const { width, height, hidden } = this.shown
    const fitting = this.sizes.findIndex(
      (size) => (width > 0 && size.width >= width) || (height > 0 && size.height >= height),
    )
    const wanted = fitting < 0 ? this.sizes.length - 1 : fitting
    const choice = hidden ? -1 : (this.sizes[Math.min(wanted, this.limit)]?.id ?? -1)
    if (choice === this.choice) return
    this.choice = choice
    this.before = null
  }
}

function isBad(before: FlowFigures, now: FlowFigures): boolean {
  if (now.muted || before.muted) return false
  const frames = now.frames - before.frames
  const dropped = now.dropped - before.dropped
  return frames === 0 || dropped > BAD_SHARE * (frames + dropped)
}
