/**
 * When what is drawn comes to the screen, on a page's thread or in a worker: calls back with the next
 * repaint. A hidden page is not repainted: then a timer calls a few times a second, so that nothing piles up.
 */

const HIDDEN_INTERVAL_MS = 250

export class Repaints {
  private readonly waiting = new Set<() => void>()
  private isHidden: boolean
  private animation: number | null = null
  private timer: ReturnType<typeof setTimeout> | null = null

  constructor(hidden = false) {
    this.isHidden = hidden
  }

  /** Whether the page is hidden; whoever made this keeps it true. */
  get hidden(): boolean {
    return this.isHidden
  }

  set hidden(hidden: boolean) {
    if (hidden === this.isHidden) return
    this.isHidden = hidden
    this.unschedule()
    this.schedule()
  }

  /** Calls `task` once, with the next repaint, however often it was asked for. */
  next(task: () => void): void {
    this.waiting.add(task)
    this.schedule()
  }

  cancel(task: () => void): void {
    this.waiting.delete(task)
    if (this.waiting.size === 0) this.unschedule()
  }

  private schedule(): void {
    if (this.waiting.size === 0 || this.animation !== null || this.timer !== null) return
    if (this.isHidden) this.timer = setTimeout(this.repaint, HIDDEN_INTERVAL_MS)
    else this.animation = requestAnimationFrame(this.repaint)
  }

  private unschedule(): void {
    if (this.animation !== null) cancelAnimationFrame(this.animation)
    if (this.timer !== null) clearTimeout(this.timer)
    this.animation = null
    this.timer = null
  }

  private readonly repaint = (): void => {
    this.animation = null
    this.timer = null
    const due = [...this.waiting]
    this.waiting.clear()
    for (const task of due) task()
  }
}
