/** The relay's process for the interop tests, by the engine that serves raw QUIC too. */

import { type RelayProcess, startRelay } from '../support/relay-process.ts'
import type { RelayAddress } from './client.ts'

export interface InteropRelay extends RelayAddress {
  readonly process: RelayProcess
}

export async function startInteropRelay(): Promise<InteropRelay> {
  const process = await startRelay(['--engine', 'quiche'])
  const answer = await fetch(`${process.urls.web}/certificate.sha256`)
  return { process, url: process.urls.relay, certificateHash: (await answer.text()).trim() }
}

/** The relay tells every client to go, and ends when they are gone. */
export async function drain({ process }: InteropRelay): Promise<void> {
  await fetch(`${process.urls.ops}/drain`, { method: 'POST' })
}
