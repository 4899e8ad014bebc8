/**
 * Why the relay refuses an object by its SFrame header. `unreadable`: no header. `foreign-leaf`: a
 * leaf that is not the publisher's in this epoch. `leaf-conflict`: a leaf that another participant of
 * the room sends with in this epoch. `stale`: a KID whose overlap is over. `replayed`, `regressed`
 * and `jumped`: see `CounterVerdict`.
 */
export const KEY_TROUBLES = [
  'unreadable',
  'foreign-leaf',
  'leaf-conflict',
  'stale',
  'replayed',
  'regressed',
  'jumped',
] as const

export type KeyTrouble = (typeof KEY_TROUBLES)[number]

/** Objects by trouble. */
export type KeyTroubleCounters = Record<KeyTrouble, number>

export function keyTroubleCounters(): KeyTroubleCounters {
  return Object.fromEntries(KEY_TROUBLES.map((trouble) => [trouble, 0])) as KeyTroubleCounters
}
