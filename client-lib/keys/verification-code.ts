import { sha512 } from '@noble/hashes/sha2.js'

const LABEL = new TextEncoder().encode('Sotto verification code 1')
const GROUPS = 6
const BYTES_A_GROUP = 5

/**
 * 30 decimal digits that are the same for every member of an epoch and for nobody else: six numbers of
 * five digits, each from 40 bits of SHA-512(label, epoch authenticator) (RFC 9420 section 8.7).
 */
export function verificationCode(epochAuthenticator: Uint8Array): string {
  const input = new Uint8Array(LABEL.length + epochAuthenticator.length)
  input.set(LABEL)
  input.set(epochAuthenticator, LABEL.length)
  const digest = sha512(input)
  let code = ''
  for (let group = 0; group < GROUPS; group++) {
    let value = 0
    for (let i = 0; i < BYTES_A_GROUP; i++) value = value * 256 + digest[group * BYTES_A_GROUP + i]!
    code += String(value % 100_000).padStart(5, '0')
  }
  return code
}
