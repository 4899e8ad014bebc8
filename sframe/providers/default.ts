/** Which provider a program gets that does not choose one. */
import { nobleProvider } from './noble.ts'
import type { CryptoProvider } from './provider.ts'
import { webCryptoProvider } from './webcrypto.ts'

/**
 * WebCrypto where the platform has it, which a page has only in a secure context, else noble.
 * Node tools use `nodeProvider` of the entry `sframe/node.ts`, which is faster there.
 */
export function defaultProvider(): CryptoProvider {
  return globalThis.crypto?.subtle === undefined ? nobleProvider : webCryptoProvider
}
