/**
 * Why objects of a layered video track are missing, told from those that came. A relay leaves out whole
 * frames of the upper layers on purpose, and those are not to be asked for again; base frames come on a
 * stream, which repairs itself. So a gap is a loss only between two objects behind one base frame while
 * the top layer flows, or within a frame of which some fragment came. Pure: time is passed in.
 */

import type { ArrivalContext, MediaProperties } from '../../moq/media/index.ts'

export interface JudgedObject {
  readonly group: number
  /** Null for a datagram. */
  readonly subgroup: number | null
}

/** The top layer counts as left out when none of it came for so long, ms. */
const TOP_LAYER_MS = 250

export class GapJudge {
  private readonly top: number
  private group = -1
  /** TL0PICIDX of the newest base frame of the group; null before the first. */
  private base: number | null = null
  private topAt = Number.NEGATIVE_INFINITY

  /** @param temporalLayers of the track, with those that a relay may leave out */
  constructor(temporalLayers: number) {
    this.top = temporalLayers - 1
  }

  /** Of an object that was asked for again: it says nothing of what is sent by itself. */
  judgeRepaired({ fragment = { index: 0, count: 1 } }: MediaProperties): ArrivalContext {
    return { ahead: fragment.index, behind: fragment.count - 1 - fragment.index, gap: 'unclear' }
  }

  /** Of an object that arrives now by itself, for a repair planner. */
  judge(now: number, { group, subgroup }: JudgedObject, media: MediaProperties): ArrivalContext {
    const layer = media.frameMarking?.layer
    if (!layer || layer.baseIndex === null) return { gap: 'left-out' }
    if (group > this.group) {
      this.group = group
      this.base = null
    }
    const { index, count } = media.fragment ?? { index: 0, count: 1 }
    const around = { ahead: index, behind: count - 1 - index }
    if (layer.temporal === 0) return { ...around, gap: this.onBase(now, group, layer.baseIndex) }
    if (layer.temporal >= this.top && subgroup === null) this.topAt = now
    return { ...around, gap: this.onEnhancement(now, group, layer.baseIndex) }
  }

  private onBase(now: number, group: number, baseIndex: number): ArrivalContext['gap'] {
    if (group < this.group) return 'left-out'
    const ahead = this.base === null ? 1 : (baseIndex - this.base) & 0xff
    if (ahead > 128) return 'unclear'
    this.base = baseIndex
    // Where a base frame is missing, nothing behind it can be decoded.
    return ahead === 1 && this.topFlows(now) ? 'missed' : 'left-out'
  }

  private onEnhancement(now: number, group: number, baseIndex: number): ArrivalContext['gap'] {
    if (group < this.group) return 'left-out'
    // Its base frame is on its way, and which object that is cannot be told yet.
    if (this.base !== baseIndex) return 'unclear'
    return this.topFlows(now) ? 'missed' : 'left-out'
  }

  private topFlows(now: number): boolean {
    return this.top > 0 && now - this.topAt <= TOP_LAYER_MS
  }
}
