/**
 * Results of overlapping work, delivered in the order in which the work was begun: encryption may be
 * asynchronous, but the objects of a stream may not overtake each other.
 */
export class Ordered<T> {
  private tail: Promise<void> | null = null
  private readonly onError: (error: unknown) => void

  constructor(onError: (error: unknown) => void) {
    this.onError = onError
  }

  push(work: T | Promise<T>, deliver: (result: T) => void): void {
    const before = this.tail
    if (!before && !(work instanceof Promise)) {
      deliver(work)
      return
    }
    const mine = this.after(before, work, deliver)
    this.tail = mine
    void mine.then(() => {
      if (this.tail === mine) this.tail = null
    })
  }

  private async after(
    before: Promise<void> | null,
    work: T | Promise<T>,
    deliver: (result: T) => void,
  ): Promise<void> {
    try {
      const [result] = await Promise.all([work, before])
      deliver(result)
    } catch (error) {
      this.onError(error)
    }
  }
}
