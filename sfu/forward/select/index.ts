/**
 * What of each source a receiver gets: which simulcast rendition and how many of its temporal layers,
 * by the budget, by what the receiver can show and by what matters most. `allocate` is a pure
 * function; `Selector` adds calm: down at once, up after proof; `RenditionSwitch` changes over at a key
 * frame, while the old rendition goes on.
 */

export { type Allocation, allocate, type Claim, type Tier } from './allocate.ts'
export { ladderOf, type RenditionOffer, type ShowLimits, type Step } from './ladder.ts'
export { RateMeter } from './rate-meter.ts'
export { ReceiverWishes } from './receiver-wishes.ts'
export { offerOf } from './rendition-offer.ts'
export { RenditionSwitch } from './rendition-switch.ts'
export { type Selection, type SelectionInput, Selector, type SourceInput } from './selector.ts'
