/**
 * The MLS cipher suites that a room may use, by the name that stands in a room's parameters. A room's
 * suite is chosen by its creator and never changes. `x-wing` has no registered number in MLS (ts-mls
 * gives it 83), so the name, not the number, is what both ends agree on.
 */
export const mlsSuites = {
  'x-wing': 'MLS_256_XWING_AES256GCM_SHA512_Ed25519',
  classical: 'MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519',
  p256: 'MLS_128_DHKEMP256_AES128GCM_SHA256_P256',
} as const

/** An MLS cipher suite that a room may have, by our name for it. */
export type SuiteName = keyof typeof mlsSuites

/** The suite of a room whose creator names none. */
export const defaultSuite: SuiteName = 'x-wing'

/** Whether it is a suite that a room may have. */
export function isSuiteName(name: string): name is SuiteName {
  return Object.hasOwn(mlsSuites, name)
}
