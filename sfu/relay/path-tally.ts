import type { ProbeResult } from '../forward/budget/index.ts'

/** What happened on the paths to all subscribers since the start. */
export interface PathTally {
  /** Bytes of padding sent. */
  paddingBytes: number
  /** Probes, by how they ended. */
  readonly probes: Record<ProbeResult, number>
  /** For how long media was held back, of all subscribers together, ms. */
  heldMs: number
}

export function makePathTally(): PathTally {
  return {
    paddingBytes: 0,
    probes: { success: 0, progress: 0, full: 0, nothing: 0 },
    heldMs: 0,
  }
}
