/**
 * One switching set towards one receiver: which rendition goes on, and which one is waited for. A
 * change takes place at a key frame of the new rendition, which begins a group; until then the old one
 * goes on, so that the picture never stands still for it: on the way up with as many
 * layers as the new one is to have, as its publisher may take seconds to begin it; on the way down with its base layer only, which is
 * most of what a narrow path needs.
 */

const ALL_LAYERS = 8

export interface Choice {
  readonly rendition: number
  /** 1.. */
  readonly temporalLayers: number
}

export class RenditionSwitch {
  private active = -1
  private activeLayers = 0
  private next = -1
  private nextLayers = 0
  private since = 0

  /** The rendition that is forwarded, or -1. */
  get current(): number {
    return this.active
  }

  /** The rendition of which a key frame is needed, or -1: ask for it, and again while this holds. */
  get awaited(): number {
    return this.next
  }

  /** @param choice null: nothing of the set is to be forwarded */
  choose(choice: Choice | null, now: number): void {
    if (!choice) {
      this.active = -1
      this.next = -1
      return
    }
    const { rendition, temporalLayers } = choice
    if (rendition === this.active) {
      this.activeLayers = temporalLayers
      this.next = -1
      return
    }
    if (rendition !== this.next) this.since = now
    // What the path bears of a larger one it bears of this one, too.
    if (rendition > this.active) this.activeLayers = Math.max(this.activeLayers, temporalLayers)
    this.next = rendition
    this.nextLayers = temporalLayers
  }

  /** It is forwarded already: the receiver has its key frame. All layers of it, until `choose`. */
  adopt(rendition: number): void {
    this.active = rendition
    this.activeLayers = ALL_LAYERS
    this.next = -1
  }

  /** Temporal layers that are wanted of a rendition: of one that is awaited too. */
  layersOf(rendition: number): number {
    if (rendition === this.next) return this.nextLayers
    if (rendition !== this.active) return 0
    return this.isGoingDown ? 1 : this.activeLayers
  }

  /** Whether an object of this rendition and temporal layer is forwarded; its gate is asked besides. */
  passes(rendition: number, temporal: number): boolean {
    if (rendition !== this.active) return false
    return temporal < (this.isGoingDown ? 1 : this.activeLayers)
  }

  private get isGoingDown(): boolean {
    return this.next >= 0 && this.next < this.active
  }

  /**
   * A key frame that the receiver can decrypt has come; called before `passes` is asked of it.
   * @returns the rendition that ends here, of which nothing that waits is to be sent, or -1
   */
  onKeyFrame(rendition: number): number {
    if (rendition !== this.next) return -1
    const old = this.active
    this.active = rendition
    this.activeLayers = this.nextLayers
    this.next = -1
    return old
  }

  /** The publisher ended this rendition. @returns whether the receiver is left without any */
  onGone(rendition: number): boolean {
    if (rendition === this.next) this.next = -1
    if (rendition !== this.active) return false
    this.active = -1
    return true
  }

  /** For a look inside. */
  dump(now: number) {
    return {
      rendition: this.active,
      temporalLayers: this.active < 0 ? 0 : this.activeLayers,
      awaited: this.next,
      awaitedMs: this.next < 0 ? 0 : now - this.since,
    }
  }
}
