/**
 * Makes the certificate that the relay uses when it is given none: ECDSA P-256, self-signed, short
 * enough that browsers accept it by its hash.
 */

import './reflect.ts'
import { isIP } from 'node:net'
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type JsonGeneralName,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509'
import { type Certificate, day, readCertificate } from './certificate.ts'

/** One day below the browsers' limit, so that rounding can never cross it. */
export const selfSignedValidity = 13 * day

/** The certificate is dated back by this much, for peers whose clock is behind. */
const clockSkew = 60 * 60 * 1000

const alwaysNamed = ['localhost', '127.0.0.1', '::1']
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

/**
 * @param names host names and IP addresses besides localhost, 127.0.0.1 and ::1
 * @param now ms since 1970
 */
export async function makeSelfSigned(names: readonly string[], now: number): Promise<Certificate> {
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  // X.509 times are whole seconds; rounding down keeps the validity exact.
  const notBefore = Math.floor((now - clockSkew) / 1000) * 1000
  const generated = await X509CertificateGenerator.createSelfSigned({
    serialNumber: randomSerial(),
    name: 'CN=Sotto relay',
    notBefore: new Date(notBefore),
    notAfter: new Date(notBefore + selfSignedValidity),
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new SubjectAlternativeNameExtension(
        [...new Set([...alwaysNamed, ...names])].map((name): JsonGeneralName => {
          return { type: isIP(name) === 0 ? 'dns' : 'ip', value: name }
        }),
      ),
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
    ],
  })
  const key = PemConverter.encode(
    await crypto.subtle.exportKey('pkcs8', keys.privateKey),
    PemConverter.PrivateKeyTag,
  )
  const made = { cert: 'the new certificate', key: 'the new key' }
  return readCertificate(`${generated.toString('pem')}\n`, `${key}\n`, made, now)
}

/** 16 random bytes as hex, positive and without a leading zero byte (RFC 5280 section 4.1.2.2). */
function randomSerial(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40
  return Buffer.from(bytes).toString('hex')
}
