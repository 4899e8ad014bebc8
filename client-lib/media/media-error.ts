/** A codec that failed. Encoders and decoders report it and go on by themselves after a pause. */
export class MediaError extends Error {
  override readonly name = 'MediaError'
  readonly stage: 'video-encoder' | 'audio-encoder' | 'video-decoder' | 'audio-decoder'
  /** ms until the next attempt. */
  readonly retryMs: number

  constructor(stage: MediaError['stage'], retryMs: number, cause: unknown) {
    super(`${stage} failed: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
    this.stage = stage
    this.retryMs = retryMs
  }
}

const FIRST_RETRY_MS = 100
const LAST_RETRY_MS = 5000

/** When a failed codec may be tried again: later with every failure, until something works. */
export class Backoff {
  private readonly now: () => number
  private failures = 0
  private notBefore = Number.NEGATIVE_INFINITY

  /** @param now ms, monotonic */
  constructor(now: () => number) {
    this.now = now
  }

  get ready(): boolean {
    return this.now() >= this.notBefore
  }

  /** Returns the pause in ms. */
  failed(): number {
    const pause = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(this.failures++, 16))
    this.notBefore = this.now() + pause
    return pause
  }

  worked(): void {
    this.failures = 0
  }
}
