/** The steps on which a source can be forwarded to one receiver, from the cheapest to the best. */

export interface RenditionOffer {
  /** As in `video/<n>`; a track without renditions is 0. */
  readonly rendition: number
  /** Pixels and frames a second; 0 where they are not known. */
  readonly width: number
  readonly height: number
  readonly framerate: number
  /** Bits a second with one temporal layer, with two, and so on; not empty. */
  readonly layerBits: readonly number[]
}

/** What a receiver can show; 0 for no limit. */
export interface ShowLimits {
  readonly width: number
  readonly height: number
  readonly framerate: number
  readonly hidden: boolean
}

export interface Step {
  readonly rendition: number
  /** 1.. */
  readonly temporalLayers: number
  /** Bits a second. */
  readonly bits: number
}

/**
 * Steps of strictly ascending cost and quality; none for a hidden source or one without renditions. A
 * face is better small and smooth than large and jerky: a larger rendition begins with two layers. A
 * screen is read: its renditions come first, then the frames.
 * @param offers ascending by size
 */
export function ladderOf(
  offers: readonly RenditionOffer[],
  limits: ShowLimits,
  kind: 'face' | 'screen',
): Step[] {
  if (limits.hidden) return []
  const useful = usefulOffers(offers, limits)
  const steps: Step[] = []
  useful.forEach((offer, index) => {
    const most = usefulLayers(offer, limits)
    const isLast = index === useful.length - 1
    const isScreen = kind === 'screen'
    const from = index === 0 || isScreen ? 1 : Math.min(2, most)
    const to = isScreen && !isLast ? 1 : most
    for (let layers = from; layers <= to; layers++) steps.push(stepOf(offer, layers))
  })
  return withoutWaste(steps)
}

function stepOf({ rendition, layerBits }: RenditionOffer, temporalLayers: number): Step {
  return { rendition, temporalLayers, bits: Math.max(1, layerBits[temporalLayers - 1]!) }
}

/** Up to the smallest rendition that fills what is shown: more pixels would be thrown away. */
function usefulOffers(offers: readonly RenditionOffer[], limits: ShowLimits): RenditionOffer[] {
  const filling = offers.findIndex((offer) => fills(offer, limits))
  return offers.slice(0, filling < 0 ? offers.length : filling + 1)
}

/** A picture is fitted into its place, so one of its sides decides. */
function fills({ width, height }: RenditionOffer, limits: ShowLimits): boolean {
  const wide = limits.width > 0 && width >= limits.width
  const high = limits.height > 0 && height >= limits.height
  return wide || high
}

/** Each temporal layer doubles the frame rate. */
function usefulLayers({ framerate, layerBits }: RenditionOffer, limits: ShowLimits): number {
  const all = layerBits.length
  if (limits.framerate === 0 || framerate === 0) return all
  let layers = all
  while (layers > 1 && framerate / 2 ** (all - layers + 1) >= limits.framerate) layers--
  return layers
}

/** Leaves out every step that costs as much as a better one. */
function withoutWaste(steps: readonly Step[]): Step[] {
  const kept: Step[] = []
  let cheapest = Number.POSITIVE_INFINITY
  for (const step of steps.toReversed()) {
    if (step.bits >= cheapest) continue
    cheapest = step.bits
    kept.push(step)
  }
  return kept.reverse()
}
