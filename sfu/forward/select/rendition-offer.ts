import type { RenditionFacts } from '../../../moq/media/rendition.ts'
import type { RenditionOffer } from './ladder.ts'
import type { RateMeter } from './rate-meter.ts'

/** Share of the bits that an encoder gives to the layers up to each, where nothing was measured. */
const SHARES: readonly (readonly number[])[] = [[1], [0.6, 1], [0.4, 0.6, 1]]
/** Where a track says nothing of itself, bits a second. */
const UNKNOWN_BITRATE = 500_000

/**
 * A rendition as it can be chosen: what it takes is measured where it arrives, else what its
 * publisher says (`moq/media/rendition.ts`).
 * @param facts null where its track says nothing
 */
export function offerOf(
  rendition: number,
  facts: RenditionFacts | null,
  meter: RateMeter | null,
  now: number,
): RenditionOffer {
  const { width, height, framerate } = facts ?? { width: 0, height: 0, framerate: 0 }
  const layerBits = meter?.cumulative(now) ?? declared(facts)
  return { rendition, width, height, framerate, layerBits }
}

function declared(facts: RenditionFacts | null): number[] {
  const layers = facts?.temporalLayers ?? 1
  const bitrate = facts?.bitrate ?? UNKNOWN_BITRATE
  const shares = SHARES[layers - 1]
  if (shares) return shares.map((share) => share * bitrate)
  return Array.from({ length: layers }, (_, index) => ((index + 1) / layers) * bitrate)
}
