import type { RenditionFacts } from '../../../moq/media/rendition.ts'
import type { RenditionOffer } from './ladder.ts'

/** Share of the bits that an encoder gives to the layers up to each, where nothing was measured. */
const SHARES: readonly (readonly number[])[] = [[1], [0.6, 1], [0.4, 0.6, 1]]
/** Where a track says nothing of itself, bits a second. */
const UNKNOWN_BITRATE = 500_000

/**
 * A rendition as it can be chosen: what it takes is measured where it arrives, else what its
 * publisher says (`moq/media/rendition.ts`).
 * @param facts null where its track says nothing
 * @param measured bits a second with one temporal layer, with two, and so on (`RateMeter`), or null
 * @param asked temporal layers that the publisher was asked for while that was measured: of those
 * above, what came says nothing, as a publisher need not send what nobody takes
 * @param share of the time that is measured, 0..1 (`RateMeter.share`): for the rest, the publisher's word
 * counts
 */
export function offerOf(
  rendition: number,
  facts: RenditionFacts | null,
  measured: readonly number[] | null,
  asked = Number.POSITIVE_INFINITY,
  share = 1,
): RenditionOffer {
  const { width, height, framerate } = facts ?? { width: 0, height: 0, framerate: 0 }
  const layerBits = measured ? completed(measured, facts, asked) : declared(facts)
  if (measured && facts && share < 1) {
    declared(facts).forEach((bits, layer) => {
      const found = layerBits[layer]
      if (found !== undefined) layerBits[layer] = share * found + (1 - share) * bits
    })
  }
  return { rendition, width, height, framerate, layerBits }
}

function declared(facts: RenditionFacts | null): number[] {
  const bitrate = facts?.bitrate ?? UNKNOWN_BITRATE
  return sharesOf(facts?.temporalLayers ?? 1).map((share) => share * bitrate)
}

/** What was measured, and above it what the layers below let expect. */
function completed(
  measured: readonly number[],
  facts: RenditionFacts | null,
  asked: number,
): number[] {
  const layers = facts?.temporalLayers ?? measured.length
  if (asked >= Math.max(layers, measured.length)) return [...measured]
  const sound = Math.min(asked, measured.length)
  if (sound === 0 && !facts) return [...measured]
  const shares = sharesOf(Math.max(layers, measured.length))
  const whole = sound > 0 ? measured[sound - 1]! / shares[sound - 1]! : facts!.bitrate
  return shares.map((share, layer) =>
    layer < sound ? measured[layer]! : Math.max(measured[layer] ?? 0, share * whole),
  )
}

function sharesOf(layers: number): readonly number[] {
  return SHARES[layers - 1] ?? Array.from({ length: layers }, (_, index) => (index + 1) / layers)
}
