import { FrameAssembler } from '../../../client-lib/media/assemble.ts'
import type { MediaProperties } from '../../../moq/media/index.ts'
import { StallWatch } from '../figures/stall-watch.ts'
import type { LabelFigures, World } from './world.ts'

/** A picture that stands for longer has frozen, ms. */
const FREEZE_MS = 500

const NOTHING = new Uint8Array(0)

/**
 * A picture as its watcher sees it: the browser library's assembler for each rendition tells which
 * frames could be decoded, and any of them is a picture. Renditions take turns as the relay chooses.
 */
export class ReceivedPicture {
  private readonly world: World
  private readonly figures: LabelFigures
  private readonly renditions = new Map<number, FrameAssembler>()
  private readonly watch = new StallWatch(FREEZE_MS)
  private firstAt: number | null = null
  private over = false

  constructor(world: World, figures: LabelFigures) {
    this.world = world
    this.figures = figures
  }

  /** When it was first there, ms of the machine's clock; null until then. */
  get shownAt(): number | null {
    return this.firstAt
  }

  /** Frames of a rendition of which a part is missing, so far. */
  brokenFrames(rendition: number): number {
    return this.renditions.get(rendition)?.counters.dropped.incomplete ?? 0
  }

  push(rendition: number, group: number, object: number, media: MediaProperties): void {
    let assembler = this.renditions.get(rendition)
    if (!assembler) {
      assembler = this.assemblerFor(rendition)
      this.renditions.set(rendition, assembler)
    }
    assembler.push({ group, object, media, payload: NOTHING })
  }

  /** Acts on what is due; to be called often. */
  poll(now: number): void {
    for (const assembler of this.renditions.values()) {
      const deadline = assembler.nextDeadline()
      if (deadline !== null && deadline <= now) assembler.poll()
    }
  }

  /** Nobody watches any more, or measuring ends: what froze before is counted. */
  end(now: number): void {
    if (this.over) return
    this.over = true
    this.watch.note(now, this.phaseAt(now)?.freezes ?? null)
  }

  private assemblerFor(rendition: number): FrameAssembler {
    const { clock } = this.world
    return new FrameAssembler({
      now: () => clock.now(),
      // The relay asks for key frames by itself; this is a watcher, not a decoder.
      onKeyFrameNeeded: () => {},
      onFrame: ({ temporalLayer }) => this.onFrame(rendition, temporalLayer),
    })
  }

  private onFrame(rendition: number, temporalLayer: number): void {
    const now = this.world.clock.now()
    this.firstAt ??= now
    const phase = this.phaseAt(now)
    if (!this.over) this.watch.note(now, phase?.freezes ?? null)
    if (phase) phase.frames++
    this.figures.timeline.frame(now, rendition, temporalLayer)
  }

  private phaseAt(now: number) {
    return this.figures.phases[this.world.phases.at(now)]
  }
}
