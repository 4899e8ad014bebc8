/** Payloads are large: what SFrame itself does with them copies nothing beyond what a provider forces. */

import { describe, expect, it } from 'vitest'
import { CounterLedger } from './counter-ledger.ts'
import { decodeHeader } from './header.ts'
import type { AeadKey, CryptoProvider } from './providers/provider.ts'
import { ReceiverContext } from './receiver.ts'
import { SenderContext } from './sender.ts'
import { suites } from './suites.ts'
import { providers } from './testing.ts'

const suite = suites.AES_128_GCM_SHA256_128
const baseKey = new Uint8Array(16).fill(1)
const kid = 300

/** A provider that notes which arrays pass through it. */
class Witness implements CryptoProvider {
  readonly name = 'witness'
  readonly allocated: Uint8Array[] = []
  readonly sealed: Uint8Array[] = []
  readonly opened: Uint8Array[] = []
  readonly plaintexts: (Uint8Array | null)[] = []
  private readonly inner: CryptoProvider

  constructor(inner: CryptoProvider) {
    this.inner = inner
  }

  allocate(length: number): Uint8Array {
    const memory = this.inner.allocate(length)
    this.allocated.push(memory)
    return memory
  }

  importSecret(...args: Parameters<CryptoProvider['importSecret']>) {
    return this.inner.importSecret(...args)
  }

  async importKey(...args: Parameters<CryptoProvider['importKey']>): Promise<AeadKey> {
    const key = await this.inner.importKey(...args)
    return {
      seal: (nonce, aad, plaintext, output, offset) => {
        this.sealed.push(plaintext)
        return key.seal(nonce, aad, plaintext, output, offset)
      },
      open: async (nonce, aad, bytes) => {
        this.opened.push(bytes)
        const plaintext = await key.open(nonce, aad, bytes)
        this.plaintexts.push(plaintext)
        return plaintext
      },
      destroy: () => key.destroy(),
    }
  }
}

describe.each(providers)('a frame over $name', (inner) => {
  it('is sealed into the memory of the result, from the very payload that was given', async () => {
    const provider = new Witness(inner)
    const options = { provider, suite, kid, baseKey, ledger: new CounterLedger() }
    const sender = await SenderContext.create(options)
    const payload = new Uint8Array(50_000).fill(9)
    const frame = await sender.encrypt(payload, new Uint8Array(20))
    expect(provider.sealed).toHaveLength(1)
    expect(provider.sealed[0]).toBe(payload)
    // One array for header, ciphertext and tag, which is what goes out.
    expect(provider.allocated).toHaveLength(1)
    expect(frame).toBe(provider.allocated[0])
  })

  it('is opened where it lies, and the plaintext is what the provider gave', async () => {
    const provider = new Witness(inner)
    const options = { provider, suite, kid, baseKey, ledger: new CounterLedger() }
    const sender = await SenderContext.create(options)
    const frame = await sender.encrypt(new Uint8Array(50_000))
    const receiver = new ReceiverContext({ provider, suite })
    await receiver.installKey(kid, baseKey)
    provider.allocated.length = 0
    const plaintext = await receiver.decrypt(frame)
    expect(provider.opened).toHaveLength(1)
    expect(provider.opened[0]!.buffer).toBe(frame.buffer)
    expect(provider.opened[0]!.byteOffset).toBe(frame.byteOffset + decodeHeader(frame).length)
    expect(plaintext).toBe(provider.plaintexts[0])
    expect(provider.allocated).toEqual([])
  })
})
