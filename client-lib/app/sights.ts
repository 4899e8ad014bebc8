/**
 * What of the stage the person sees: how large each tile is on the screen, and whether at all. Told to the
 * call, so that the relay sends no more than is shown; a hidden page asks for no picture.
 */

import type { ParticipantView } from '../index.ts'

/** Device pixels of an element. */
export interface Extent {
  readonly width: number
  readonly height: number
}

/** What to ask for: nothing where there is nothing to see. */
export function viewOf({ width, height }: Extent, pageHidden: boolean): ParticipantView {
  return { width, height, hidden: pageHidden || width === 0 || height === 0 }
}

interface Watched {
  readonly id: string
  extent: Extent | null
}

export class Sights {
  readonly #tell: (participantId: string, view: ParticipantView) => void
  readonly #watched = new Map<Element, Watched>()
  readonly #observer = new ResizeObserver((entries) => {
    for (const entry of entries) this.#resized(entry)
  })
  readonly #visibilityChanged = (): void => {
    for (const watched of this.#watched.values()) this.#say(watched)
  }

  /** @param tell called for each tile when what is to be seen of it changed */
  constructor(tell: (participantId: string, view: ParticipantView) => void) {
    this.#tell = tell
    document.addEventListener('visibilitychange', this.#visibilityChanged)
  }

  watch(participantId: string, element: Element): void {
    this.#watched.set(element, { id: participantId, extent: null })
    // Told of its size at once, then whenever it changes.
    this.#observer.observe(element)
    if (document.hidden) this.#tell(participantId, viewOf({ width: 0, height: 0 }, true))
  }

  unwatch(element: Element): void {
    this.#observer.unobserve(element)
    this.#watched.delete(element)
  }

  close(): void {
    this.#observer.disconnect()
    this.#watched.clear()
    document.removeEventListener('visibilitychange', this.#visibilityChanged)
  }

  #resized({ target, contentRect }: ResizeObserverEntry): void {
    const watched = this.#watched.get(target)
    if (watched === undefined) return
    const { width, height } = contentRect
    watched.extent = { width: width * devicePixelRatio, height: height * devicePixelRatio }
    this.#say(watched)
  }

  #say({ id, extent }: Watched): void {
    if (extent !== null) this.#tell(id, viewOf(extent, document.hidden))
  }
}
