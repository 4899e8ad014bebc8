/** Generators of media properties for property tests. Not part of the library. */

import fc from 'fast-check'
import type { FrameMarking } from './frame-marking.ts'
import type { MediaProperties } from './loc.ts'

const layer = fc.record({
  temporal: fc.integer({ min: 0, max: 7 }),
  spatial: fc.integer({ min: 0, max: 255 }),
  baseIndex: fc.option(fc.integer({ min: 0, max: 255 })),
  baseSync: fc.boolean(),
})
const frameMarking: fc.Arbitrary<FrameMarking> = fc.record({
  start: fc.boolean(),
  end: fc.boolean(),
  independent: fc.boolean(),
  discardable: fc.boolean(),
  layer: fc.option(layer),
})
const fragment = fc
  .integer({ min: 1, max: 64 })
  .chain((count) =>
    fc.record({ index: fc.integer({ min: 0, max: count - 1 }), count: fc.constant(count) }),
  )
export const mediaProperties: fc.Arbitrary<MediaProperties> = fc.record(
  {
    timestamp: fc.maxSafeNat(),
    timescale: fc.integer({ min: 1, max: 90_000 }),
    frameMarking,
    audioLevel: fc.record({ level: fc.integer({ min: 0, max: 127 }), voice: fc.boolean() }),
    videoConfig: fc.uint8Array({ maxLength: 40 }),
    audioConfig: fc.uint8Array({ maxLength: 40 }),
    fragment,
    frame: fc.nat(),
  },
  { requiredKeys: [] },
)
