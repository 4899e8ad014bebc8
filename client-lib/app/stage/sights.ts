/**
 * What of the stage the person sees: how large each tile is on the screen, whether at all, and whether it
 * is the one that matters. Told to the call, so that the relay sends no more than is shown; a hidden page
 * asks for no picture.
 */

import type { ParticipantView, PictureSource } from '../../index.ts'

/** Device pixels of an element. */
export interface Extent {
  readonly width: number
  readonly height: number
}

/** Whose picture a tile shows. */
export interface Subject {
  readonly id: string
  readonly source: PictureSource
}

/** What to ask for: nothing where there is nothing to see. */
export function viewOf(
  { width, height }: Extent,
  pageHidden: boolean,
  pinned = false,
): ParticipantView {
  const hidden = pageHidden || width === 0 || height === 0
  return { width, height, hidden, pinned: pinned && !hidden }
}

interface Watched {
  readonly subject: Subject
  extent: Extent | null
  pinned: boolean
}

export class Sights {
  readonly #tell: (subject: Subject, view: ParticipantView) => void
  readonly #watched = new Map<Element, Watched>()
  readonly #observer = new ResizeObserver((entries) => {
    for (const entry of entries) this.#resized(entry)
  })
  readonly #visibilityChanged = (): void => {
    for (const watched of this.#watched.values()) this.#say(watched)
  }

  /** @param tell called for each tile when what is to be seen of it changed */
  constructor(tell: (subject: Subject, view: ParticipantView) => void) {
    this.#tell = tell
    document.addEventListener('visibilitychange', this.#visibilityChanged)
  }

  watch(subject: Subject, element: Element): void {
    this.#watched.set(element, { subject, extent: null, pinned: false })
    // Told of its size at once, then whenever it changes.
    this.#observer.observe(element)
    if (document.hidden) this.#tell(subject, viewOf({ width: 0, height: 0 }, true))
  }

  /** The person, or the layout, wants this one before others. */
  pin(element: Element, pinned: boolean): void {
    const watched = this.#watched.get(element)
    if (watched === undefined || watched.pinned === pinned) return
    watched.pinned = pinned
    this.#say(watched)
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

  #say({ subject, extent, pinned }: Watched): void {
    if (extent !== null) this.#tell(subject, viewOf(extent, document.hidden, pinned))
  }
}
