import type { PictureSource, ReceiverReport, Wish } from '../../../moq/media/receiver-report.ts'
import type { ShowLimits } from './ladder.ts'

/** For a picture that a report does not name: whatever is left over. */
const UNNAMED: ShowLimits & Pick<Wish, 'priority' | 'pinned'> = {
  width: 0,
  height: 0,
  framerate: 0,
  hidden: false,
  pinned: false,
  priority: 255,
}

/** What a session's reports said last; the newest wishes hold until the session ends. */
export class ReceiverWishes {
  private wishes: Map<string, Wish> | null = null

  /** Whether the receiver leaves the choice of renditions to the relay. */
  get isManaged(): boolean {
    return this.wishes !== null
  }

  /** @returns whether something is wished otherwise than before */
  take({ wishes }: ReceiverReport): boolean {
    if (!wishes) return false
    const before = this.wishes
    this.wishes = new Map(wishes.map((wish) => [keyOf(wish.participant, wish.source), wish]))
    if (before?.size !== wishes.length) return true
    return wishes.some((wish) => !isSame(wish, before.get(keyOf(wish.participant, wish.source))))
  }

  of(participant: string, source: PictureSource): typeof UNNAMED {
    return this.wishes?.get(keyOf(participant, source)) ?? UNNAMED
  }
}

function keyOf(participant: string, source: PictureSource): string {
  return `${source} ${participant}`
}

function isSame(a: Wish, b: Wish | undefined): boolean {
  return (
    b !== undefined &&
    a.width === b.width &&
    a.height === b.height &&
    a.framerate === b.framerate &&
    a.priority === b.priority &&
    a.pinned === b.pinned &&
    a.hidden === b.hidden
  )
}
