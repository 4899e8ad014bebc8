/** What of a join is seen from outside of the call library; runs in the page. */

/** Times on the page's clock, ms; what has not happened is missing. */
export interface SeenJoin {
  readonly clicked?: number
  /** A picture of somebody else's is on the page and not black. */
  readonly seen?: number
}

declare global {
  var seenJoin: SeenJoin | undefined
}

/** Notes when Join is pressed, and the repaint with the first picture after that. Needs nothing from outside of itself. */
export function watchJoin(): void {
  const seen: { clicked?: number; seen?: number } = {}
  globalThis.seenJoin = seen
  const probe = new OffscreenCanvas(8, 8).getContext('2d', { willReadFrequently: true })!
  const isShown = (canvas: HTMLCanvasElement): boolean => {
    if (canvas.width === 0 || canvas.height === 0) return false
    if (!canvas.checkVisibility({ opacityProperty: true, visibilityProperty: true })) return false
    probe.clearRect(0, 0, 8, 8)
    probe.drawImage(canvas, 0, 0, 8, 8)
    return probe.getImageData(0, 0, 8, 8).data.some((value, at) => at % 4 < 3 && value > 40)
  }
  const look = () => {
    const self = globalThis.sotto?.call?.self
    for (const tile of document.querySelectorAll<HTMLElement>('[data-participant]')) {
      const canvas = tile.querySelector('canvas')
      if (!self || tile.dataset.participant === self || !canvas || !isShown(canvas)) continue
      seen.seen = performance.now()
      return
    }
    requestAnimationFrame(look)
  }
  addEventListener(
    'click',
    ({ target }) => {
      if (seen.clicked !== undefined || !(target instanceof Element) || target.id !== 'join') return
      seen.clicked = performance.now()
      requestAnimationFrame(look)
    },
    { capture: true },
  )
}
