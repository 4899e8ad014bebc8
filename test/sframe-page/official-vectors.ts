/** Runs in the browser: every official vector of RFC 9605 and of the suites 6 to 8 over one provider. */

import {
  CounterLedger,
  type CryptoProvider,
  decodeHeader,
  encodeHeader,
  findSuite,
  ReceiverContext,
  SenderContext,
} from '../../sframe/index.ts'
import { hex, uint64, unhex, vectors } from '../../sframe/vectors/index.ts'

/** How many vectors of each kind hold, and what does not. */
export interface VectorReport {
  header: number
  aead: number
  sframe: number
  readonly suites: string[]
  readonly wrong: string[]
}

export async function runOfficialVectors(provider: CryptoProvider): Promise<VectorReport> {
  const report: VectorReport = { header: 0, aead: 0, sframe: 0, suites: [], wrong: [] }
  const holds = (what: string, seen: unknown, expected: unknown): boolean => {
    if (seen === expected) return true
    report.wrong.push(`${what}: ${String(seen)}, not ${String(expected)}`)
    return false
  }

  for (const { kid, ctr, encoded } of vectors.header) {
    const decoded = decodeHeader(unhex(encoded))
    const what = `header ${kid} ${ctr}`
    const good = [
      holds(what, hex(encodeHeader(uint64(kid), uint64(ctr))), encoded),
      holds(`${what} KID`, decoded.kid, uint64(kid)),
      holds(`${what} CTR`, decoded.ctr, uint64(ctr)),
      holds(`${what} length`, decoded.length, encoded.length / 2),
    ]
    if (good.every(Boolean)) report.header++
  }

  for (const vector of vectors.aead) {
    const suite = findSuite(vector.cipher_suite)
    const key = await provider.importKey(suite, unhex(vector.key))
    const [nonce, aad, pt] = [unhex(vector.nonce), unhex(vector.aad), unhex(vector.pt)]
    const output = new Uint8Array(pt.length + suite.tagLength)
    const sealed = hex(await key.seal(nonce, aad, pt, output, 0))
    const opened = await key.open(nonce, aad, unhex(vector.ct))
    const good = [
      holds(`AEAD ${suite.name} seal`, sealed, vector.ct),
      holds(`AEAD ${suite.name} open`, opened && hex(opened), vector.pt),
    ]
    if (good.every(Boolean)) report.aead++
  }

  for (const vector of vectors.sframe) {
    const suite = findSuite(vector.cipher_suite)
    const kid = uint64(vector.kid)
    const baseKey = unhex(vector.base_key)
    const metadata = unhex(vector.metadata)
    const firstCounter = Number(vector.ctr)
    const ledger = new CounterLedger()
    const options = { provider, suite, kid, baseKey, firstCounter, ledger }
    const sender = await SenderContext.create(options)
    const sealed = hex(await sender.encrypt(unhex(vector.pt), metadata))
    const receiver = new ReceiverContext({ provider, suite })
    await receiver.installKey(kid, baseKey)
    const opened = hex(await receiver.decrypt(unhex(vector.ct), metadata))
    const good = [
      holds(`frame ${suite.name} encrypt`, sealed, vector.ct),
      holds(`frame ${suite.name} decrypt`, opened, vector.pt),
    ]
    if (good.every(Boolean)) {
      report.sframe++
      report.suites.push(suite.name)
    }
  }
  return report
}
