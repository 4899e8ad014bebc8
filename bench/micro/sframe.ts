import {
  type CryptoProvider,
  nobleProvider,
  ReceiverContext,
  SenderContext,
  type Suite,
  suites,
  webCryptoProvider,
} from '../../sframe/index.ts'
import { nodeProvider } from '../../sframe/node.ts'
import type { Case, Subject } from './subject.ts'

const PROVIDERS = [nodeProvider, webCryptoProvider, nobleProvider]
const SIZES = [100, 1200, 10_000, 100_000]
const KID = 3
/** Authenticated beside each frame: a full track name, group, object and marks. */
const METADATA = new Uint8Array(96)

/** SFrame by suite and provider, through the contexts that a call uses. */
export const sframe: Subject = {
  name: 'sframe',
  about:
    'one frame sealed by a SenderContext or opened by a ReceiverContext, with 96 bytes of metadata; ' +
    'what a provider answers with promises is awaited together',
  async cases() {
    const cases: Case[] = []
    for (const suite of Object.values(suites)) {
      for (const provider of PROVIDERS) {
        for (const size of SIZES) cases.push(...(await casesOf(suite, provider, size)))
      }
    }
    return cases
  },
}

async function casesOf(suite: Suite, provider: CryptoProvider, size: number): Promise<Case[]> {
  const operations = size <= 1200 ? 200 : size <= 10_000 ? 20 : 2
  const baseKey = new Uint8Array(suite.keyLength).fill(7)
  const frame = new Uint8Array(size)
  const sender = await SenderContext.create({ provider, suite, kid: KID, baseKey })
  const sealed: Uint8Array[] = []
  for (let i = 0; i < operations; i++) sealed.push(await sender.encrypt(frame, METADATA))
  // A receiver takes each frame once, so each batch has a new one.
  let receiver: ReceiverContext
  const named = (what: string) => `${what} ${suite.name}, ${provider.name}, ${size} B`
  const shared = { operations, payloadBytes: size }
  return [
    {
      ...shared,
      name: named('seal'),
      run: () => together(operations, () => sender.encrypt(frame, METADATA)),
    },
    {
      ...shared,
      name: named('open'),
      async prepare() {
        receiver = new ReceiverContext({ provider, suite })
        await receiver.installKey(KID, baseKey)
      },
      run: () => together(operations, (i) => receiver.decrypt(sealed[i]!, METADATA)),
    },
  ]
}

/** Promises only where the provider gives them. */
function together(count: number, once: (i: number) => unknown): unknown {
  const first = once(0)
  if (!(first instanceof Promise)) {
    for (let i = 1; i < count; i++) once(i)
    return first
  }
  const pending: unknown[] = [first]
  for (let i = 1; i < count; i++) pending.push(once(i))
  return Promise.all(pending)
}
