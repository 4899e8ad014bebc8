/** For vitest: an event loop that is blocked for a moment, in real time. */

/** ms */
const BLOCK_MS = 120

/**
 * Lets a watch of the loop begin, blocks the loop, and lets the watch look again. A timer of ours may be called in the
 * same phase of the loop as the one before it, where the process did not run in between; the watch's own
 * timer is sure to be called only when the loop has gone round.
 */
export async function blockLoop(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 30))
  await goRound()
  const end = performance.now() + BLOCK_MS
  while (performance.now() < end);
  await goRound()
}

async function goRound(): Promise<void> {
  for (let i = 0; i < 2; i++) await new Promise((resolve) => setImmediate(resolve))
}
