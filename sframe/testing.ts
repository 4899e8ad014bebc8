/** What the tests of this package share: the official vectors, hex, and every provider of Node. */
import { SFrameError } from './errors.ts'
import { nobleProvider } from './providers/noble.ts'
import { nodeProvider } from './providers/node.ts'
import type { CryptoProvider } from './providers/provider.ts'
import { webCryptoProvider } from './providers/webcrypto.ts'

export { hex, uint64, unhex, vectors } from './vectors/index.ts'

export const providers: readonly CryptoProvider[] = [nodeProvider, webCryptoProvider, nobleProvider]

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

/** The code of the `SFrameError` that `action` ends in; fails for any other end. */
export async function codeOf(action: () => unknown): Promise<string> {
  try {
    await action()
  } catch (error) {
    if (error instanceof SFrameError) return error.code
    throw error
  }
  throw new Error('did not fail')
}
