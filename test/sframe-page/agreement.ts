/**
 * Runs in the browser: what WebCrypto seals noble opens and the other way round, many frames in flight
 * at once. The contexts hand every frame the same scratch memory, so a browser that read nonce or
 * metadata after its call had returned would be found out here.
 */

import {
  CounterLedger,
  type CryptoProvider,
  nobleProvider,
  ReceiverContext,
  SenderContext,
  type Suite,
  suites,
  webCryptoProvider,
} from '../../sframe/index.ts'
import { hex } from '../../sframe/vectors/index.ts'

export interface AgreementReport {
  frames: number
  readonly wrong: string[]
}

/** Bytes of plaintext and of metadata of each frame: none, one, around blocks, large. */
const LENGTHS = [0, 1, 15, 16, 17, 100, 255, 256, 257, 1200, 20_000]

export async function runAgreement(): Promise<AgreementReport> {
  const report: AgreementReport = { frames: 0, wrong: [] }
  for (const suite of Object.values<Suite>(suites)) {
    for (const kid of [0, 7, 8, 0x30e, 2n ** 64n - 1n]) {
      for (const [from, to] of [
        [webCryptoProvider, nobleProvider],
        [nobleProvider, webCryptoProvider],
      ] as const) {
        await exchange(report, suite, kid, from, to)
      }
    }
  }
  return report
}

async function exchange(
  report: AgreementReport,
  suite: Suite,
  kid: number | bigint,
  from: CryptoProvider,
  to: CryptoProvider,
): Promise<void> {
  const baseKey = random(suite.keyLength)
  const firstCounter = Math.floor(Math.random() * 2 ** 40)
  const ledger = new CounterLedger()
  const sender = await SenderContext.create({
    provider: from,
    suite,
    kid,
    baseKey,
    firstCounter,
    ledger,
  })
  const receiver = new ReceiverContext({ provider: to, suite })
  await receiver.installKey(kid, baseKey)
  const frames = LENGTHS.map((length, index) => ({
    plaintext: random(length),
    metadata: random((index * 37) % 300),
  }))
  const sealed = await Promise.all(
    frames.map(({ plaintext, metadata }) => sender.encrypt(plaintext, metadata)),
  )
  const opened = await Promise.allSettled(
    sealed.map(async (frame, index) => receiver.decrypt(frame, frames[index]?.metadata)),
  )
  opened.forEach((outcome, index) => {
    const plaintext = frames[index]?.plaintext ?? new Uint8Array(0)
    if (outcome.status === 'fulfilled' && hex(outcome.value) === hex(plaintext)) report.frames++
    else report.wrong.push(`${suite.name}, ${from.name} to ${to.name}, ${plaintext.length} bytes`)
  })
}

function random(length: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(length))
}
