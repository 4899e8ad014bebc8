/** Runs in Chromium, in a worker as SFrame does in a call: measures every case and answers with it. */

import { nobleProvider, webCryptoProvider } from '../../../sframe/index.ts'
import { frameCases } from '../sframe-cases.ts'
import type { Measurement } from '../subject.ts'
import { time } from '../timing.ts'

/** What comes back: one for each case, in their order, then `done`; or what went wrong. */
export type Answer =
  | { readonly measurement: Measurement }
  | { readonly done: true }
  | { readonly error: string }

async function measureAll(timeMs: number): Promise<void> {
  for (const each of await frameCases([webCryptoProvider, nobleProvider])) {
    // Scripts in a browser cannot see what they allocate.
    const measurement = { ...(await time(each, timeMs)), bytesPerOperation: null }
    postMessage({ measurement } satisfies Answer)
  }
  postMessage({ done: true } satisfies Answer)
}

addEventListener('message', ({ data }: MessageEvent<{ timeMs: number }>) => {
  measureAll(data.timeMs).catch((error: unknown) => {
    postMessage({ error: String(error) } satisfies Answer)
  })
})
