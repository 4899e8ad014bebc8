/**
 * Which frame of a temporally layered stream can be decoded, told from its frame marking alone
 * (RFC 9626). The base layer (T0) depends on the base frame before; a frame marked B on the base
 * frame that its TL0PICIDX names; any other on the frame just before it, which must be of a lower
 * layer. In the patterns L1T2 and L1T3 that is exactly what encoders do; where an encoder leaves a
 * frame out, it errs on the side of dropping one frame too many.
 */

import type { FrameMarking } from '../../moq/media/index.ts'

export interface DecodeState {
  /** Number of the frame last decoded in the group; -1 before the first. */
  number: number
  /** Frames up to this number have been decoded or given up. */
  settled: number
  /** Temporal layer of the frame last decoded. */
  layer: number
  /** TL0PICIDX of the base frame last decoded; null in a stream without layers. */
  baseIndex: number | null
}

/**
 * `ready`: all it depends on was decoded. `needs-base`: a base frame is missing, and with it everything
 * until a key frame. `needs-previous`: the frame before is missing. `never`: that frame was given up.
 */
export type Readiness = 'ready' | 'needs-base' | 'needs-previous' | 'never'

export function readiness(
  number: number,
  marking: FrameMarking,
  state: Readonly<DecodeState>,
): Readiness {
  if (marking.independent) return 'ready'
  const layer = marking.layer
  if (layer === null || layer.baseIndex === null || state.baseIndex === null) {
    return number === state.number + 1 ? 'ready' : 'needs-base'
  }
  const ahead = (layer.baseIndex - state.baseIndex) & 0xff
  if (layer.temporal === 0) {
    if (ahead === 1) return 'ready'
    return ahead === 0 || ahead > 128 ? 'never' : 'needs-base'
  }
  if (ahead > 0) return ahead > 128 ? 'never' : 'needs-base'
  if (layer.baseSync) return 'ready'
  if (number === state.number + 1) return state.layer < layer.temporal ? 'ready' : 'never'
  return number === state.settled + 1 ? 'never' : 'needs-previous'
}
