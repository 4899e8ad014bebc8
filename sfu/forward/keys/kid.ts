/**
 * What a relay reads in an SFrame key id of a call: which stream of which member in which epoch. The
 * KID comes as the two halves that `parseHeader` fills, so that nothing is allocated.
 *
 *     KID = context << (S + E) | leaf index << E | epoch mod 2^E      E = 8, S = 12
 */

/** E: low bits of the epoch number in a KID. */
export const EPOCH_BITS = 8
/** S: bits of the leaf index in a KID. */
export const LEAF_BITS = 12

const EPOCHS = 1 << EPOCH_BITS
const LEAVES = 1 << LEAF_BITS

/** The epoch number modulo 256. */
export function epochOf(kidLow: number): number {
  return kidLow & (EPOCHS - 1)
}

/** The leaf index of the member, below 4096. */
export function leafOf(kidLow: number): number {
  return (kidLow >>> EPOCH_BITS) & (LEAVES - 1)
}

/** The stream of the member, below 2^44. */
export function contextOf(kidHigh: number, kidLow: number): number {
  const low = 32 - EPOCH_BITS - LEAF_BITS
  return kidHigh * 2 ** low + (kidLow >>> (EPOCH_BITS + LEAF_BITS))
}

/** How many epochs `epoch` is ahead of `other`, both modulo 256: -128..127. */
export function epochsAhead(epoch: number, other: number): number {
  return ((epoch - other + EPOCHS / 2) & (EPOCHS - 1)) - EPOCHS / 2
}
