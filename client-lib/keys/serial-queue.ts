/**
 * Runs asynchronous work one piece after the other: ts-mls calls on one group must not interleave.
 * A piece that fails goes to `onFailure`; the next one runs all the same.
 */
export class SerialQueue {
  private tail: Promise<void> = Promise.resolve()
  private readonly onFailure: (error: unknown) => void

  constructor(onFailure: (error: unknown) => void) {
    this.onFailure = onFailure
  }

  run(work: () => Promise<void> | void): void {
    this.tail = this.tail.then(work).catch(this.onFailure)
  }

  /** Settles when all that was given so far, and what that work gave, is done. */
  async idle(): Promise<void> {
    let seen: Promise<void> | null = null
    while (seen !== this.tail) {
      seen = this.tail
      await seen
    }
  }
}
