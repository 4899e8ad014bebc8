/** The cases of SFrame, for whatever runs them: this process or a browser's worker. */

import {
  CounterLedger,
  type CryptoProvider,
  createMutableHeader,
  encodeHeader,
  MAX_UINT64,
  parseHeader,
  ReceiverContext,
  SenderContext,
  type Suite,
  suites,
  type UInt64,
} from '../../sframe/index.ts'
import type { Case } from './subject.ts'

export const ABOUT_FRAMES =
  'one frame sealed by a SenderContext or opened by a ReceiverContext, with 96 bytes of metadata; ' +
  'what a provider answers with promises is in flight together, and awaited together'

const SIZES = [100, 1200, 10_000, 100_000]
const KID = 3
const HEADERS = 1000
/** Authenticated beside each frame: a full track name, group, object and marks. */
const METADATA = new Uint8Array(96)

/** Every suite and size, with each provider in turn. */
export async function frameCases(providers: readonly CryptoProvider[]): Promise<Case[]> {
  const cases: Case[] = []
  for (const suite of Object.values<Suite>(suites)) {
    for (const provider of providers) {
      for (const size of SIZES) cases.push(...(await casesOf(suite, provider, size)))
    }
  }
  return cases
}

async function casesOf(suite: Suite, provider: CryptoProvider, size: number): Promise<Case[]> {
  const operations = size <= 1200 ? 200 : size <= 10_000 ? 20 : 2
  const baseKey = new Uint8Array(suite.keyLength).fill(7)
  const frame = new Uint8Array(size)
  const sender = await SenderContext.create({
    provider,
    suite,
    kid: KID,
    baseKey,
    ledger: new CounterLedger(),
  })
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

/** What a relay does with each frame: it reads the header, which allocates nothing. */
export function headerCases(): Case[] {
  const values: readonly (readonly [UInt64, UInt64])[] = [
    [3, 5],
    [0x30e, 70_000],
    [MAX_UINT64, MAX_UINT64],
  ]
  return values.map(([kid, ctr]) => {
    const bytes = encodeHeader(kid, ctr)
    const header = createMutableHeader()
    return {
      name: `parse header, ${bytes.length} B`,
      operations: HEADERS,
      run() {
        let sum = 0
        for (let i = 0; i < HEADERS; i++) {
          parseHeader(bytes, 0, header)
          sum ^= header.kidLow ^ header.ctrLow
        }
        return sum
      },
    }
  })
}
