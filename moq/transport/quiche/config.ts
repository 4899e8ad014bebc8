/** Turns settings into quiche configurations. */

import { CONGESTION_CONTROL, type NativeConfig, type QuicheBinding } from './binding.ts'
import type { QuicSettings } from './settings.ts'

/** Largest UDP payload we say we receive: an Ethernet frame without IPv4 and UDP headers. */
const RECEIVED_UDP_PAYLOAD = 1472

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
  applySettings(config, settings)
  return config
}

/** What client and server have in common. */
export function applySettings(config: NativeConfig, settings: QuicSettings): void {
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
