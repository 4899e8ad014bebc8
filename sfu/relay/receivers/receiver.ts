/**
 * One session that leaves the choice of pictures to the relay: what it wishes, what its path bears and
 * who speaks decide what of each picture goes out (`sfu/forward/select`).
 */

import type { PictureSource, ReceiverReport } from '../../../moq/media/receiver-report.ts'
import type { Speaker } from '../../../moq/media/speakers.ts'
import type { Budget } from '../../forward/budget/index.ts'
import { ReceiverWishes, Selector, type SourceInput } from '../../forward/select/index.ts'
import { lastN } from '../../speaker/index.ts'
import type { Member } from './member.ts'
import { PictureSet, type SelectionCounters } from './picture-set.ts'

/** What of a subscriber's path selection goes by. */
export type PathBudget = Pick<Budget, 'bitsPerSecond' | 'provenBitsPerSecond' | 'want' | 'onReport'>

export interface ReceiverOptions {
  readonly room: string
  /** The receiver's own id: it takes no place among those who are shown. */
  readonly participant: string
  readonly counters: SelectionCounters
  /** Of whom a camera is shown at most. */
  readonly lastN: number
  /** Null: the path bears everything. */
  readonly budget: PathBudget | null
  /** Who spoke in the room, the newest first. */
  readonly speakers: () => readonly Speaker[]
}

/**
 * Between two choices, ms: while something could be better, and 1 ms more for each picture, as many cost
 * more; and while all is as it is wished.
 */
const INTERVAL_MS = 200
const CALM_MS = 1000

export class Receiver {
  readonly room: string
  private readonly options: ReceiverOptions
  private readonly wishes = new ReceiverWishes()
  private readonly selector = new Selector()
  private readonly sets = new Map<string, PictureSet>()
  /** Subscriptions that are forwarded whatever is chosen: sound, and what is not of the room. */
  private readonly others = new Set<Member>()
  private changed = true
  private chosenAt = Number.NEGATIVE_INFINITY
  private watchedAt = Number.NEGATIVE_INFINITY
  private calm = false
  /** Bits a second of all that goes out by the last choice, and the budget that it was made by. */
  private bits = 0
  private budgetThen = 0

  constructor(options: ReceiverOptions) {
    this.options = options
    this.room = options.room
  }

  /** For a look inside. */
  get size(): number {
    return this.sets.size + this.others.size
  }

  // ---- what is told

  /** @param now ms */
  onReport(report: ReceiverReport, now: number): void {
    if (report.arrivals) this.options.budget?.onReport(now, report.arrivals)
    if (this.wishes.take(report)) this.changed = true
  }

  /** Who speaks is not as before. */
  onSpeakers(): void {
    this.changed = true
  }

  /** A subscription of the session's to a sound or a picture. */
  add(member: Member): void {
    const { offer } = member
    if (offer.source === null || offer.room !== this.room) {
      this.others.add(member)
      return
    }
    const key = keyOf(offer.participant, offer.source)
    let set = this.sets.get(key)
    if (!set) {
      set = new PictureSet(offer.participant, offer.source, this.options.counters, this.onChanged)
      this.sets.set(key, set)
    }
    if (set.add(member)) this.changed = true
    else this.others.add(member)
  }

  remove(member: Member): void {
    if (this.others.delete(member)) return
    const key = keyOf(member.offer.participant, member.offer.source!)
    const set = this.sets.get(key)
    set?.remove(member)
    if (set?.isEmpty) this.sets.delete(key)
    this.changed = true
  }

  /** Those that were there before the first wishes were added: they go on as well as they can. */
  adopt(now: number): void {
    for (const set of this.sets.values()) set.adopt(now)
  }

  // ---- choice

  /** Chooses anew where it is due; to be called some twenty times a second. @param now ms */
  update(now: number): void {
    if (now - this.watchedAt >= INTERVAL_MS) {
      this.watchedAt = now
      for (const set of this.sets.values()) set.watch(now)
    }
    const { budget } = this.options
    const bits = budget?.bitsPerSecond ?? Number.POSITIVE_INFINITY
    const fell = bits < this.bits && bits < this.budgetThen
    const interval = this.calm ? CALM_MS : INTERVAL_MS + this.sets.size
    const due = now - this.chosenAt >= interval
    if (!due && !fell && !this.changed) return
    this.choose(now, bits, budget?.provenBitsPerSecond ?? Number.POSITIVE_INFINITY)
  }

  /** For a look inside. @param now ms */
  dump(now: number) {
    return {
      room: this.room,
      participant: this.options.participant,
      bits: Math.round(this.bits),
      wanted: Math.round(this.selector.wanted),
      pictures: [...this.sets.values()].map((set) => ({
        ...set.dump(now),
        wish: this.wishes.of(set.participant, set.source),
      })),
    }
  }

  /** The session is gone, or somebody else: each subscription is for itself again. */
  close(): void {
    for (const set of this.sets.values()) set.release()
    this.sets.clear()
    this.others.clear()
  }

  // ----

  private readonly onChanged = () => {
    this.changed = true
  }

  private choose(now: number, budget: number, proven: number): void {
    this.changed = false
    this.chosenAt = now
    this.budgetThen = budget
    const speakers = this.options.speakers()
    const front = speakers.find(({ participant }) => participant !== this.options.participant)
    const shown = this.shown(speakers)
    const sources: SourceInput[] = []
    for (const [key, set] of this.sets) {
      if (shown.has(set)) sources.push(this.sourceOf(key, set, front?.participant, now))
      else set.choose(null, null, now)
    }
    const reserved = this.reserved(now)
    this.bits = reserved
    this.calm = true
    for (const selection of this.selector.update(now, { budget, proven, reserved, sources })) {
      const { key, step, wanted } = selection
      this.bits += step?.bits ?? 0
      if (step?.bits !== wanted?.bits) this.calm = false
      this.sets.get(key)?.choose(step, wanted, now)
    }
    this.options.budget?.want(this.selector.wanted)
  }

  /** Pictures that are on the screen; of cameras those of the last so many who spoke. */
  private shown(speakers: readonly Speaker[]): Set<PictureSet> {
    const cameras = new Map<string, PictureSet>()
    const pins: string[] = []
    const shown = new Set<PictureSet>()
    for (const set of this.sets.values()) {
      const { hidden, pinned } = this.wishes.of(set.participant, set.source)
      if (hidden) continue
      shown.add(set)
      if (set.source !== 'camera') continue
      cameras.set(set.participant, set)
      if (pinned) pins.push(set.participant)
    }
    if (cameras.size <= this.options.lastN) return shown
    const kept = lastN(
      {
        pins,
        speakers: speakers.map(({ participant }) => participant).filter((id) => cameras.has(id)),
        others: cameras.keys(),
        self: this.options.participant,
      },
      this.options.lastN,
    )
    for (const [participant, set] of cameras) if (!kept.has(participant)) shown.delete(set)
    return shown
  }

  private sourceOf(
    key: string,
    set: PictureSet,
    front: string | undefined,
    now: number,
  ): SourceInput {
    const { participant, source } = set
    const wish = this.wishes.of(participant, source)
    const isFront = wish.pinned || (source === 'camera' && participant === front)
    const tier = isFront ? 'front' : source === 'screen' ? 'screen' : 'video'
    const kind = source === 'screen' ? 'screen' : 'face'
    return { key, tier, kind, priority: wish.priority, limits: wish, renditions: set.offers(now) }
  }

  private reserved(now: number): number {
    let bits = 0
    for (const { offer, forwarding } of this.others) if (forwarding) bits += offer.bits(now)
    return bits
  }
}

function keyOf(participant: string, source: PictureSource): string {
  return `${source} ${participant}`
}
