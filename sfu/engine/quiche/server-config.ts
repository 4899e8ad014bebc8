/** The quiche configuration of a server, one for each certificate. */

import { createPrivateKey, X509Certificate } from 'node:crypto'
import type { NativeConfig, QuicheBinding } from '../../../moq/transport/quiche/binding.ts'
import { applySettings } from '../../../moq/transport/quiche/config.ts'
import type { QuicSettings } from '../../../moq/transport/quiche/settings.ts'
import { type Certificate, EngineError } from '../engine.ts'

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
  applySettings(config, settings)
  return config
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
