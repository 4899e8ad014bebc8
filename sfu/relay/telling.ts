import type { Clock, IncomingNamespaceSubscription } from '../../moq/session/index.ts'

/** What is told in one go, and what stands between: a long list holds up nobody else. */
const SLICE = 32
const PAUSE_MS = 5
/** How soon it is tried again when the peer may not be told more now, and for how long. */
const RETRY_MS = 100
const PATIENCE_MS = 30_000

/** The request that is answered. */
export type ToldRequest = Pick<IncomingNamespaceSubscription, 'over' | 'mayBeTold' | 'charge'>

export interface TellingOptions {
  readonly clock: Clock
  readonly request: ToldRequest
  /**
   * Tells the peer of the first thing there is, or the first behind the one of that name.
   * @returns its name, or null when there is none
   */
  readonly next: (after: string | null) => string | null
  /** The peer could not be told anything more for long. */
  readonly onStalled: () => void
}

/**
 * Tells a peer what there is under a prefix that it asked for (draft-18 sections 10.18 and 10.19). One
 * short request has an answer for every name there is, so the answers go out in slices, as far as the
 * peer reads them and has not used up what it may cost (section 13.5). A session that publishes a short
 * namespace is asked in the same way for the tracks that wait below it (section 9.5).
 */
export class Telling {
  private readonly options: TellingOptions
  private after: string | null = null
  private toldAt: number
  private stopTimer = () => {}

  /** The first slice is told at once. */
  constructor(options: TellingOptions) {
    this.options = options
    this.toldAt = options.clock.now()
    this.slice()
  }

  stop(): void {
    this.stopTimer()
  }

  private slice(): void {
    const { clock, request, next, onStalled } = this.options
    let told = 0
    for (; told < SLICE && request.mayBeTold; told++) {
      const name = next(this.after)
      if (name === null) return
      this.after = name
      request.charge(name.length)
    }
    if (request.over) return
    const now = clock.now()
    if (told > 0) this.toldAt = now
    else if (now - this.toldAt >= PATIENCE_MS) {
      onStalled()
      return
    }
    this.stopTimer = clock.after(told > 0 ? PAUSE_MS : RETRY_MS, () => this.slice())
  }
}
