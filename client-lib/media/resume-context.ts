/** A browser may hold an `AudioContext` back until the person has touched the page. */

const GESTURES = ['pointerdown', 'keydown', 'touchend'] as const
/** Pages that capture may play without a touch: the microphone may open after the context. */
const TRY_EVERY_MS = 250

/**
 * Starts the context as soon as it may, at the latest with the first touch or key; and again whenever the browser
 * has held it back.
 * @returns ends the waiting
 */
export function resumeByGesture(context: AudioContext): () => void {
  const resume = (): void => {
    // Without a gesture this waits; it fails only when the context is closed.
    context.resume().catch(() => {})
  }
  let timer: ReturnType<typeof setInterval> | undefined
  const stop = (): void => {
    clearInterval(timer)
    for (const gesture of GESTURES) removeEventListener(gesture, resume)
  }
  const follow = (): void => {
    stop()
    if (context.state === 'running' || context.state === 'closed') return
    for (const gesture of GESTURES) addEventListener(gesture, resume, { passive: true })
    timer = setInterval(resume, TRY_EVERY_MS)
  }
  context.addEventListener('statechange', follow)
  follow()
  resume()
  return () => {
    context.removeEventListener('statechange', follow)
    stop()
  }
}
