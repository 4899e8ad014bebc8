/**
 * The key-frame gate: of each video track a subscriber gets what it can decode and nothing else. What
 * depends on what is told from frame markings (RFC 9626), what may be decrypted from the generations
 * of the SFrame tracker. Pure: time is passed in, and nothing is known of queues and streams.
 */

export { DEFAULT_EARLY_LIMITS, type EarlyLimits, EarlyObjects } from './early-objects.ts'
export { type GateTally, GateWatch, makeGateTally } from './gate-tally.ts'
export {
  DEFAULT_JOIN_LIMITS,
  type JoinGroup,
  type JoinLimits,
  type JoinObject,
  JoinWindow,
  type ObjectStore,
} from './join-window.ts'
export { KeyFrameGate } from './key-frame-gate.ts'
export { KeyFrameRequests, REQUEST_INTERVAL_MS } from './key-frame-requests.ts'
export { type GatedObject, isBaseLayer, markingOf, startsKeyFrame } from './marking.ts'
export {
  asksForKeyFrame,
  GATE_DROPS,
  type GateDrop,
  type GateDropCounters,
  type GateVerdict,
  gateDropCounters,
} from './verdict.ts'
