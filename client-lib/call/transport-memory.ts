/** What worked with a relay before, so that a network without UDP does not cost two seconds each time. */

type Way = 'webtransport' | 'websocket'

const PREFIX = 'sotto-transport:'
/** The machine may be in another network by then. */
const HOLDS_MS = 3_600_000

/** @param now ms since 1970 */
export function rememberedTransport(url: string, now: number): Way | null {
  const [way, at] = (trying(() => localStorage.getItem(keyOf(url))) ?? '').split(' ')
  if (way !== 'webtransport' && way !== 'websocket') return null
  const age = now - Number(at)
  return age >= 0 && age <= HOLDS_MS ? way : null
}

/** @param now ms since 1970 */
export function rememberTransport(url: string, way: Way, now: number): void {
  trying(() => localStorage.setItem(keyOf(url), `${way} ${now}`))
}

function keyOf(url: string): string {
  return PREFIX + new URL(url).host
}

function trying<T>(work: () => T): T | null {
  try {
    return work()
  } catch {
    // Forbidden to this page, or full: then WebTransport is tried first.
    return null
  }
}
