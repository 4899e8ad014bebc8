/** Ends a piece of work; null: it went well. */
export type Done = (error: unknown) => void

/**
 * Synchronisations with the disk, a few at a time: they run in Node's threads, which signatures and name
 * look-ups need too, and a disk that takes long would take all of them.
 */
export class SyncQueue {
  private readonly most: number
  private readonly waiting: (() => void)[] = []
  private running = 0

  constructor(most: number) {
    this.most = most
  }

  run(sync: (done: Done) => void, done: Done): void {
    const begin = () => {
      this.running++
      sync((error) => {
        this.running--
        this.waiting.shift()?.()
        done(error)
      })
    }
    if (this.running < this.most) begin()
    else this.waiting.push(begin)
  }
}
