/**
 * The crypto below MLS. AES-GCM, Ed25519 and HPKE come from ts-mls's WebCrypto provider; hash, MAC and
 * HKDF are replaced by noble's synchronous ones: MLS hashes hundreds of short inputs an epoch, where
 * WebCrypto's trip to another thread costs more than the hash. Measured in Node 24 on two busy cores with
 * X-Wing and 50 members, medians of 15 interleaved runs, for applying a commit and for joining: 72 and
 * 161 ms with WebCrypto alone, 63 and 158 ms with ts-mls's noble provider (whose HKDF is WebCrypto's
 * too), 45 and 140 ms with this mix. At two members they do not differ.
 */

import { expand, extract } from '@noble/hashes/hkdf.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256, sha512 } from '@noble/hashes/sha2.js'
import {
  type CryptoProvider,
  defaultCryptoProvider,
  type Hash,
  type Kdf,
  type Signature,
} from 'ts-mls'
import { KeysError } from './errors.ts'

type HashFunction = typeof sha256 | typeof sha512

const hashes: Readonly<Record<string, HashFunction>> = {
  'SHA-256': sha256,
  'SHA-512': sha512,
  'HKDF-SHA256': sha256,
  'HKDF-SHA512': sha512,
}

export const mixedCryptoProvider: CryptoProvider = {
  async getCiphersuiteImpl(suite) {
    const base = await defaultCryptoProvider.getCiphersuiteImpl(suite)
    return {
      ...base,
      signature: suite.signature === 'P256' ? uncompressed(base.signature) : base.signature,
      hash: hashFrom(hashNamed(suite.hash)),
      kdf: kdfFrom(hashNamed(suite.hpke.kdf)),
    }
  },
}

/** RFC 9420 section 5.1.1 wants the uncompressed point, where ts-mls makes the compressed one. */
function uncompressed(signature: Signature): Signature {
  return {
    ...signature,
    async keygen() {
      const { p256 } = await import('@noble/curves/nist.js')
      const signKey = p256.utils.randomSecretKey()
      return { signKey, publicKey: p256.getPublicKey(signKey, false) }
    },
  }
}

function hashNamed(name: string): HashFunction {
  const hash = hashes[name]
  if (hash === undefined) throw new KeysError('internal', `no ${name} here`)
  return hash
}

function hashFrom(hash: HashFunction): Hash {
  return {
    digest: async (data) => hash(data),
    mac: async (key, data) => hmac(hash, key, data),
    verifyMac: async (key, mac, data) => equalSecrets(mac, hmac(hash, key, data)),
  }
}

function kdfFrom(hash: HashFunction): Kdf {
  return {
    extract: async (salt, ikm) => extract(hash, ikm, salt),
    expand: async (prk, info, length) => expand(hash, prk, info, length),
    size: hash.outputLen,
  }
}

/** In time that depends on the length only. */
function equalSecrets(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!
  return difference === 0
}
