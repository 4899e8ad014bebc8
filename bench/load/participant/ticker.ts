import type { Clock } from '../../../moq/session/index.ts'

/**
 * Ticks at a rate and keeps it: one that comes late is followed by others at once until the rate is
 * made good, as a camera does not wait for a program either.
 * @param firstAt ms of the clock
 * @param onTick told how late it is, ms
 * @returns what ends it
 */
export function startTicker(
  clock: Clock,
  firstAt: number,
  periodMs: number,
  onTick: (lateMs: number) => void,
): () => void {
  let ticks = 0
  let cancel = () => {}
  let over = false
  const wait = () => {
    const dueAt = firstAt + ticks * periodMs
    cancel = clock.after(Math.max(0, dueAt - clock.now()), () => {
      ticks++
      onTick(clock.now() - dueAt)
      if (!over) wait()
    })
  }
  wait()
  return () => {
    over = true
    cancel()
  }
}
