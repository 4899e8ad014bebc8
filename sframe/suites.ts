/**
 * The cipher suites: 1 to 5 of RFC 9605 section 4.5, and 6 to 8, the AES-256 counterparts of 1 to 3.
 * All sizes are bytes; each names its constant in the RFC.
 */
import { SFrameError } from './errors.ts'

/** The hash of a suite, as WebCrypto names it. */
export type HashName = 'SHA-256' | 'SHA-512'

interface SuiteBase {
  /** The value that enters key derivation, and the IANA registry's. */
  readonly id: number
  readonly name: string
  readonly hash: HashName
  /** Nh: output of the hash. */
  readonly hashLength: number
  /** Nk: the key of the AEAD, and of the MLS exporter's output. */
  readonly keyLength: number
  /** Nn. */
  readonly nonceLength: 12
  /** Nt: what encryption adds behind the ciphertext. */
  readonly tagLength: number
}

/** AES-GCM (RFC 9605 section 4.5). */
export interface GcmSuite extends SuiteBase {
  readonly cipher: 'AES-GCM'
}

/** AES-CTR with HMAC, section 4.5.1. */
export interface CtrHmacSuite extends SuiteBase {
  readonly cipher: 'AES-CTR-HMAC'
  /** Nka: the part of the key that is the AES key; the rest, Nh bytes, is the HMAC key. */
  readonly cipherKeyLength: 16 | 32
}

/** A cipher suite (RFC 9605 section 4.5). */
export type Suite = GcmSuite | CtrHmacSuite

function gcm(id: number, name: string, keyLength: 16 | 32, hash: HashName): GcmSuite {
  const hashLength = hash === 'SHA-256' ? 32 : 64
  return {
    id,
    name,
    cipher: 'AES-GCM',
    hash,
    hashLength,
    keyLength,
    nonceLength: 12,
    tagLength: 16,
  }
}

function ctrHmac(id: number, name: string, hash: HashName, tagLength: number): CtrHmacSuite {
  const hashLength = hash === 'SHA-256' ? 32 : 64
  const cipherKeyLength = hash === 'SHA-256' ? 16 : 32
  return {
    id,
    name,
    cipher: 'AES-CTR-HMAC',
    hash,
    hashLength,
    cipherKeyLength,
    keyLength: cipherKeyLength + hashLength,
    nonceLength: 12,
    tagLength,
  }
}

/** All suites by name, in the order of their numbers. */
export const suites = {
  AES_128_CTR_HMAC_SHA256_80: ctrHmac(1, 'AES_128_CTR_HMAC_SHA256_80', 'SHA-256', 10),
  AES_128_CTR_HMAC_SHA256_64: ctrHmac(2, 'AES_128_CTR_HMAC_SHA256_64', 'SHA-256', 8),
  AES_128_CTR_HMAC_SHA256_32: ctrHmac(3, 'AES_128_CTR_HMAC_SHA256_32', 'SHA-256', 4),
  AES_128_GCM_SHA256_128: gcm(4, 'AES_128_GCM_SHA256_128', 16, 'SHA-256'),
  AES_256_GCM_SHA512_128: gcm(5, 'AES_256_GCM_SHA512_128', 32, 'SHA-512'),
  AES_256_CTR_HMAC_SHA512_80: ctrHmac(6, 'AES_256_CTR_HMAC_SHA512_80', 'SHA-512', 10),
  AES_256_CTR_HMAC_SHA512_64: ctrHmac(7, 'AES_256_CTR_HMAC_SHA512_64', 'SHA-512', 8),
  AES_256_CTR_HMAC_SHA512_32: ctrHmac(8, 'AES_256_CTR_HMAC_SHA512_32', 'SHA-512', 4),
} as const

/** A cipher suite by the name that the RFC gives it. */
export type SuiteName = keyof typeof suites

/**
 * The suite with this number or name, as room parameters carry it.
 * @throws SFrameError `unsupported-suite`
 */
export function findSuite(idOrName: number | string): Suite {
  for (const suite of Object.values<Suite>(suites)) {
    if (suite.id === idOrName || suite.name === idOrName) return suite
  }
  throw new SFrameError('unsupported-suite', null, String(idOrName))
}
