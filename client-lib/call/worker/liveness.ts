import type { Clock } from '../../../moq/session/index.ts'

export interface LivenessOptions {
  readonly clock: Clock
  /** Bytes that arrived so far. */
  readonly received: () => number
  /** Asks the relay something that it answers by itself; the answer is `heard`. */
  readonly ask: () => void
  /** Nothing came and a question has no answer, or the opposite again. */
  readonly onChange: (silent: boolean) => void
}

export interface LivenessSettings {
  /** How often it is looked, ms. */
  readonly lookMs: number
  /** Nothing arrived for so long, ms: the relay is asked. */
  readonly quietMs: number
  /** An answer takes longer, ms, and nothing else came: the relay is silent. */
  readonly answerMs: number
}

/** QUIC itself finds out after its idle timeout, 15 s; a call is over for people long before. */
export const DEFAULT_LIVENESS: LivenessSettings = { lookMs: 250, quietMs: 1000, answerMs: 2000 }

/** After a hint that the network changed, an answer is due this soon, ms. */
const HURRY_MS = 700
const MOST_ANSWER_MS = 8000

/**
 * Whether anything still comes from the relay. In a call something always does; where it does not, the
 * relay is asked. Time in which this machine slept, or had none for us, does not count.
 */
export class Liveness {
  private readonly options: LivenessOptions
  private readonly settings: LivenessSettings
  private bytes = 0
  private heardAt: number
  private lookedAt: number
  /** When the relay was asked; null: no question is open. */
  private askedAt: number | null = null
  private patienceMs: number
  /** Longer once the relay was slow and not gone: others wait for it, too. */
  private usualMs: number
  private silent = false
  private stop: () => void = () => {}

  constructor(options: LivenessOptions, settings: Partial<LivenessSettings> = {}) {
    this.options = options
    this.settings = { ...DEFAULT_LIVENESS, ...settings }
    this.heardAt = options.clock.now()
    this.lookedAt = this.heardAt
    this.usualMs = this.settings.answerMs
    this.patienceMs = this.usualMs
    this.look()
  }

  /** Whether the relay is thought to be gone. */
  get isSilent(): boolean {
    return this.silent
  }

  /** Something came. */
  heard(): void {
    this.heardAt = this.options.clock.now()
    this.askedAt = null
    if (this.silent) this.usualMs = Math.min(MOST_ANSWER_MS, this.usualMs * 2)
    this.patienceMs = this.usualMs
    this.setSilent(false)
  }

  /** There may be another network than before: the relay is asked at once. */
  hurry(): void {
    this.patienceMs = HURRY_MS
    this.ask()
  }

  close(): void {
    this.stop()
  }

  private look(): void {
    const { clock, received } = this.options
    const { lookMs, quietMs } = this.settings
    this.stop = clock.after(lookMs, () => this.look())
    const now = clock.now()
    const slept = now - this.lookedAt > 4 * lookMs
    this.lookedAt = now
    const bytes = received()
    if (bytes !== this.bytes) {
      this.bytes = bytes
      this.heard()
      return
    }
    if (slept) this.ask()
    if (this.askedAt === null) {
      if (now - this.heardAt >= quietMs) this.ask()
    } else if (now - this.askedAt >= this.patienceMs) this.setSilent(true)
  }

  private ask(): void {
    this.askedAt = this.options.clock.now()
    this.options.ask()
  }

  private setSilent(silent: boolean): void {
    if (silent === this.silent) return
    this.silent = silent
    this.options.onChange(silent)
  }
}
