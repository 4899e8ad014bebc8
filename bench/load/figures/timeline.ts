/** ms of one step of a timeline. */
export const TIMELINE_STEP_MS = 500

/** What receivers of one label got in one step, all of them together. */
export interface TimelineStep {
  objects: number
  bytes: number
  /** Pictures decodable, by rendition and by temporal layer. */
  readonly byRendition: number[]
  readonly byLayer: number[]
}

const MAX_RENDITIONS = 3
const MAX_LAYERS = 3

function emptyStep(): TimelineStep {
  return {
    objects: 0,
    bytes: 0,
    byRendition: new Array<number>(MAX_RENDITIONS).fill(0),
    byLayer: new Array<number>(MAX_LAYERS).fill(0),
  }
}

/** How a run went over time, by time of arrival. */
export class Timeline {
  readonly steps: TimelineStep[]
  private readonly start: number

  /** @param start ms of the machine's clock */
  constructor(start: number, durationMs: number) {
    this.start = start
    this.steps = Array.from({ length: Math.ceil(durationMs / TIMELINE_STEP_MS) }, emptyStep)
  }

  /** Null outside of what is measured. */
  at(now: number): TimelineStep | null {
    return this.steps[Math.floor((now - this.start) / TIMELINE_STEP_MS)] ?? null
  }

  frame(now: number, rendition: number, temporalLayer: number): void {
    const step = this.at(now)
    if (!step) return
    step.byRendition[Math.min(rendition, MAX_RENDITIONS - 1)]!++
    step.byLayer[Math.min(temporalLayer, MAX_LAYERS - 1)]!++
  }

  add(steps: readonly TimelineStep[]): void {
    for (const [index, from] of steps.entries()) {
      const to = this.steps[index]
      if (!to) continue
      to.objects += from.objects
      to.bytes += from.bytes
      for (const [i, count] of from.byRendition.entries()) to.byRendition[i]! += count
      for (const [i, count] of from.byLayer.entries()) to.byLayer[i]! += count
    }
  }
}
