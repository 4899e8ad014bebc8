import { ABSENT, baseIndexOf, isFrameEnd, isFrameStart } from '../../../moq/media/index.ts'
import { FrameRun } from './frame-run.ts'
import { type GatedObject, isBaseLayer, isBaseSync } from './marking.ts'
import type { GateVerdict } from './verdict.ts'

/**
 * What one subscriber has of one group, as far as decoding goes on from it (RFC 9626). A base frame
 * builds on the base frame before; a frame marked B on the base frame that its TL0PICIDX names; any
 * other on the frame just before it, which has to be of a lower layer. Object ids ascend in the order
 * of decoding over streams and datagrams, so that the object before is the one with the id before.
 */
export class DecodeChain {
  group = -1
  generation = -1
  /** A base frame is missing: only a key frame helps. */
  broken = true
  /** TL0PICIDX of the last base frame; `ABSENT` in a stream without layers. */
  private base = ABSENT
  /** The key frame's first object and TL0PICIDX. */
  private keyObject = -1
  private keyBase = ABSENT
  private baseLast = -1
  private baseWhole = false
  private baseSubgroup = -1
  /** Since the last base frame, and between that and the one before: datagrams may come late. */
  private run = new FrameRun()
  private earlier = new FrameRun()

  /** A key frame begins. */
  open(object: GatedObject): void {
    this.group = object.group
    this.generation = object.generation
    this.broken = false
    this.keyObject = object.object
    this.keyBase = baseIndexOf(object.marking)
    this.passBase(object)
  }

  /** Forgets its group. */
  clear(): void {
    this.group = -1
    this.broken = true
  }

  /** Judges an object of the group and generation, and counts on its arrival when it passes. */
  take(object: GatedObject): GateVerdict {
    return isBaseLayer(object.marking) ? this.takeBase(object) : this.takeEnhancement(object)
  }

  /** An object that passed did not arrive. */
  lose(object: GatedObject): void {
    if (object.object < this.keyObject) return
    const index = baseIndexOf(object.marking)
    if (isBaseLayer(object.marking) || index === ABSENT) this.broken = true
    else this.runOf(index)?.lose(object)
  }

  /** The subscriber's stream of a subgroup was given up. */
  loseSubgroup(subgroup: number): void {
    if (subgroup === this.baseSubgroup) this.broken = true
    this.run.loseAll()
    this.earlier.loseAll()
  }

  /** Whether an object that passed is still of use, after what was lost since. */
  isUseful(object: GatedObject): boolean {
    if (this.broken || object.generation !== this.generation) return false
    const { marking } = object
    const index = baseIndexOf(marking)
    if (isBaseLayer(marking) || isBaseSync(marking) || index === ABSENT) return true
    const run = this.runOf(index)
    return run !== null && !run.isBehindLoss(object.object)
  }

  private takeBase(object: GatedObject): GateVerdict {
    if (this.broken) return 'key-frame'
    if (object.object <= this.baseLast) return 'late'
    if (this.isNextBase(object)) {
      this.passBase(object)
      return 'forward'
    }
    this.broken = true
    return 'key-frame'
  }

  private isNextBase(object: GatedObject): boolean {
    if (!isFrameStart(object.marking)) {
      return !this.baseWhole && object.object === this.baseLast + 1
    }
    if (!this.baseWhole) return false
    const index = baseIndexOf(object.marking)
    if (index === ABSENT || this.base === ABSENT) return this.run.isNext(object, true)
    return index === ((this.base + 1) & 0xff)
  }

  private passBase(object: GatedObject): void {
    const { marking } = object
    if (isFrameStart(marking)) {
      const { earlier } = this
      this.earlier = this.run
      this.run = earlier
      earlier.begin(object)
    } else this.run.pass(object)
    this.base = baseIndexOf(marking)
    this.baseLast = object.object
    this.baseWhole = isFrameEnd(marking)
    this.baseSubgroup = object.subgroup
  }

  private takeEnhancement(object: GatedObject): GateVerdict {
    if (this.broken) return 'base'
    const index = baseIndexOf(object.marking)
    if (index === ABSENT || this.base === ABSENT) return takeNext(this.run, object, true)
    const run = this.runOf(index)
    if (run === null) return ((this.base - index) & 0xff) > 128 ? 'base' : 'late'
    if (run === this.run && !this.baseWhole) return 'base'
    if (!isBaseSync(object.marking)) return takeNext(run, object, false)
    run.passAlone(object)
    return 'forward'
  }

  /** Of the frames behind a base frame: the last one, or the one before, whose datagrams it overtook. */
  private runOf(baseIndex: number): FrameRun | null {
    if (baseIndex === this.base) return this.run
    const isBefore = baseIndex === ((this.base - 1) & 0xff)
    return isBefore && this.base !== this.keyBase ? this.earlier : null
  }
}

/** A frame that builds on the one just before it. */
function takeNext(run: FrameRun, object: GatedObject, onAnyLayer: boolean): GateVerdict {
  if (!run.isNext(object, onAnyLayer)) return object.object <= run.last ? 'late' : 'reference'
  run.pass(object)
  return 'forward'
}
