/** Runs in the browser, in a worker as SFrame does in a call: does what it is asked for and answers. */

import { nobleProvider, webCryptoProvider } from '../../sframe/index.ts'
import { type AgreementReport, runAgreement } from './agreement.ts'
import { runOfficialVectors, type VectorReport } from './official-vectors.ts'

export interface Tasks {
  webcrypto: VectorReport
  noble: VectorReport
  agreement: AgreementReport
}

const tasks: { [Name in keyof Tasks]: () => Promise<Tasks[Name]> } = {
  webcrypto: () => runOfficialVectors(webCryptoProvider),
  noble: () => runOfficialVectors(nobleProvider),
  agreement: runAgreement,
}

addEventListener('message', async ({ data }: MessageEvent<keyof Tasks>) => {
  try {
    postMessage({ result: await tasks[data]() })
  } catch (error) {
    postMessage({ error: String(error) })
  }
})
