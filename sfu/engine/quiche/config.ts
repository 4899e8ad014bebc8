/** Turns engine settings into quiche configurations, one for each certificate. */

import { createPrivateKey, X509Certificate } from 'node:crypto'
import {
  type Certificate,
  type CongestionControl,
  EngineError,
  type EngineLimits,
} from '../engine.ts'
import { CONGESTION_CONTROL, type NativeConfig, type QuicheBinding } from './binding.ts'

/** Largest UDP payload we say we receive: an Ethernet frame without IPv4 and UDP headers. */
const RECEIVED_UDP_PAYLOAD = 1472

export interface QuicSettings {
  readonly alpn: readonly string[]
  readonly limits: EngineLimits
  readonly congestionControl: CongestionControl
  readonly logKeys: boolean
}

/** @throws EngineError if certificate and key are unusable */
export function serverConfig(
  binding: QuicheBinding,
  certificate: Certificate,
  settings: QuicSettings,
): NativeConfig {
  checkCertificate(certificate)
  const encoder = new TextEncoder()
  const key = encoder.encode(certificate.keyPem)
  const chain = encoder.encode(certificate.certPem)
  // The key stays in memory: no file is written.
  const config = binding.Config.withBoringSslCtx(false, true, null, [key], [chain], null)
  config.verifyPeer(false)
  apply(config, settings)
  return config
}

/** @param ca PEM texts of the roots that the server's certificate is checked against, or null */
export function clientConfig(
  binding: QuicheBinding,
  ca: string | null,
  settings: QuicSettings,
): NativeConfig {
  const verify = ca !== null
  const roots = verify ? new TextEncoder().encode(ca) : null
  const config = binding.Config.withBoringSslCtx(verify, !verify, roots, null, null, null)
  config.verifyPeer(verify)
  apply(config, settings)
  return config
}

function apply(config: NativeConfig, settings: QuicSettings): void {
  const { limits } = settings
  config.setApplicationProtos([...settings.alpn])
  config.setMaxIdleTimeout(limits.idleTimeoutMs)
  config.setMaxRecvUdpPayloadSize(RECEIVED_UDP_PAYLOAD)
  config.setMaxSendUdpPayloadSize(limits.udpPayload)
  config.setInitialMaxData(limits.connectionWindow)
  config.setMaxConnectionWindow(limits.connectionWindow)
  config.setInitialMaxStreamDataBidiLocal(limits.streamWindow)
  config.setInitialMaxStreamDataBidiRemote(limits.streamWindow)
  config.setInitialMaxStreamDataUni(limits.streamWindow)
  config.setMaxStreamWindow(limits.streamWindow)
  config.setInitialMaxStreamsBidi(limits.bidiStreams)
  config.setInitialMaxStreamsUni(limits.uniStreams)
  config.enableDgram(true, limits.datagramQueue, limits.datagramQueue)
  config.setCcAlgorithm(CONGESTION_CONTROL[settings.congestionControl])
  config.enableHystart(true)
  // Pacing only dates packets for a socket that can hold them back; ours cannot.
  config.enablePacing(false)
  config.grease(true)
  if (settings.logKeys) config.logKeys()
}

/** The binding accepts anything as a certificate and fails each handshake: say it at the start. */
function checkCertificate(certificate: Certificate): void {
  let leaf: X509Certificate
  try {
    leaf = new X509Certificate(certificate.certPem)
  } catch {
    throw new EngineError('the TLS certificate is not a PEM certificate')
  }
  let matches: boolean
  try {
    matches = leaf.checkPrivateKey(createPrivateKey(certificate.keyPem))
  } catch {
    throw new EngineError('the TLS key is not an unencrypted PEM private key')
  }
  if (!matches) throw new EngineError('the TLS key does not belong to the TLS certificate')
}
