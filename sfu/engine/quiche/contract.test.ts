/** The shared contract of transports, on the engine and our own clients over real UDP. */

import {
  type ContractPair,
  describeTransportContract,
} from '../../../moq/transport/contract-suite.ts'
import { connectQuic, connectWebTransport } from '../../../moq/transport/quiche/client.ts'
import type { TransportSession } from '../../../moq/transport/transport.ts'
import { makeCertificate, testOptions } from '../test-support.ts'
import { createQuicheEngine } from './index.ts'

const STREAMS = 40
const certificate = makeCertificate()

async function connectedPair(
  attach: (session: TransportSession) => void,
  connect: (port: number, hash: string) => Promise<TransportSession>,
): Promise<Pick<ContractPair, 'client' | 'server' | 'dispose'>> {
  const { promise: arrived, resolve } = Promise.withResolvers<TransportSession>()
  const engine = await createQuicheEngine(
    testOptions(certificate, {
      limits: { uniStreams: STREAMS },
      onSession: (session) => {
        attach(session)
        resolve(session)
      },
    }),
  )
  const client = await connect(engine.address.port, certificate.sha256)
  attach(client)
  const server = await arrived
  const dispose = async () => {
    client.close(0, '')
    await engine.close()
  }
  return { client, server, dispose }
}

describeTransportContract('raw QUIC', async (attach) => {
  const pair = await connectedPair(attach, (port, sha256) =>
    connectQuic({
      host: '127.0.0.1',
      port,
      protocols: ['moqt-18'],
      trust: { kind: 'hash', sha256 },
      limits: { uniStreams: STREAMS },
    }),
  )
  return { ...pair, features: { streamCredit: STREAMS } }
})

describeTransportContract('WebTransport', async (attach) => {
  const pair = await connectedPair(attach, (port, sha256) =>
    connectWebTransport(`https://127.0.0.1:${port}/call?room=a`, {
      protocols: ['moqt-18'],
      trust: { kind: 'hash', sha256 },
      limits: { uniStreams: STREAMS },
    }),
  )
  // One stream each way is HTTP/3's own.
  const streamCredit = STREAMS - 1
  return { ...pair, features: { streamCredit, path: '/call?room=a', authority: pair.client.peer } }
})
