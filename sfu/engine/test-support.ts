/** What the engine's tests share: certificates, default options, a log that can be looked at. */

import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import type { TransportHandler } from '../../moq/transport/transport.ts'
import type { Certificate, EngineOptions } from './engine.ts'

/** ECDSA P-256 for localhost, self-signed, good for ten days: what browsers accept by hash. */
export function makeCertificate(): Certificate & { sha256: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const ecdsaWithSha256 = der(0x30, oid('2a8648ce3d040302'))
  const commonName = der(0x30, oid('550403'), der(0x0c, Buffer.from('localhost')))
  const name = der(0x30, der(0x31, commonName))
  const names = der(
    0x30,
    der(0x82, Buffer.from('localhost')),
    der(0x87, Buffer.from([127, 0, 0, 1])),
  )
  const extension = der(0x30, oid('551d11'), der(0x04, names))
  const toBeSigned = der(
    0x30,
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    ecdsaWithSha256,
    name,
    der(0x30, utcTime(-1), utcTime(9)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, der(0x30, extension)),
  )
  const signature = Buffer.concat([Buffer.from([0]), sign('sha256', toBeSigned, privateKey)])
  const certificate = der(0x30, toBeSigned, ecdsaWithSha256, der(0x03, signature))
  const lines = certificate.toString('base64').replaceAll(/.{64}/g, '$&\n')
  return {
    certPem: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    sha256: createHash('sha256').update(certificate).digest('hex'),
  }
}

/** One DER item: tag, length, contents. */
function der(tag: number, ...contents: Uint8Array[]): Buffer {
  const body = Buffer.concat(contents)
  const { length } = body
  const header =
    length < 0x80
      ? [tag, length]
      : length < 0x100
        ? [tag, 0x81, length]
        : [tag, 0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from(header), body])
}

function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, 'hex'))
}

function utcTime(daysFromNow: number): Buffer {
  const date = new Date(Date.now() + daysFromNow * 86_400_000).toISOString()
  return der(0x17, Buffer.from(`${date.slice(2, 19).replaceAll(/[-:T]/g, '')}Z`))
}

export interface LogLine {
  readonly level: string
  readonly message: string
}

/** Options of an engine on a free loopback port that lets everybody in. */
export function testOptions(
  certificate: Certificate,
  changes: Partial<EngineOptions> = {},
): EngineOptions & { lines: LogLine[] } {
  const lines: LogLine[] = []
  const take = (level: string) => (message: string) => void lines.push({ level, message })
  return {
    host: '127.0.0.1',
    port: 0,
    certificate,
    protocols: ['moqt-18'],
    accept: ({ protocol }) => ({ accept: true, protocol }),
    onSession: (session) => {
      session.handler = silentHandler()
    },
    log: { debug: take('debug'), info: take('info'), warn: take('warn') },
    clock: { now: () => performance.now() },
    randomBytes: (length) => randomBytes(length),
    lines,
    ...changes,
  }
}

/** Takes everything and does nothing, but for what is given. */
export function silentHandler(changes: Partial<TransportHandler> = {}): TransportHandler {
  return {
    onUni: () => {},
    onBidi: () => {},
    onDatagram: () => {},
    onStreamCredit: () => {},
    onRoom: () => {},
    onClosed: () => {},
    ...changes,
  }
}
