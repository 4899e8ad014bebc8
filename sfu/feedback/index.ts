/** Relay-to-publisher feedback: what arrives, what the uplink bears, and what is wanted. */

export { FeedbackEndpoint, type FeedbackEndpointOptions } from './endpoint.ts'
export { DEFAULT_METER, FeedbackMeter, type MeterSettings } from './meter.ts'
export { FeedbackMeters } from './meters.ts'
export type { TrackMeter } from './track-meter.ts'
export { DEFAULT_UPLINK, UplinkEstimator, type UplinkSettings } from './uplink-estimator.ts'
