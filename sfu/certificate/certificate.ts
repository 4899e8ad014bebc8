/**
 * The relay's certificate: reading one from PEM, and what browsers will make of it. A browser
 * takes a certificate that no authority signed only if the page names its hash
 * (`serverCertificateHashes`), and then only an ECDSA P-256 one that is valid for at most 14 days
 * (WebTransport section 6.4, custom certificate requirements).
 */

import { createHash, createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'

export const day = 24 * 60 * 60 * 1000

/** The longest validity that browsers accept with a hash, in ms. */
export const maxPinnedValidity = 14 * day

export interface Certificate {
  /** PEM, the leaf first, then its chain. */
  readonly cert: string
  /** PEM (PKCS #8, SEC 1 or PKCS #1). */
  readonly key: string
  /** SHA-256 of the leaf's DER, 64 lower-case hex digits. */
  readonly sha256: string
  /** ms since 1970. */
  readonly notBefore: number
  /** ms since 1970. */
  readonly notAfter: number
  /** No authority signed it. */
  readonly selfSigned: boolean
  /** Browsers accept it by hash alone: ECDSA P-256, valid for at most 14 days. */
  readonly pinnable: boolean
}

/** The certificate cannot be used. The message is one line for the operator. */
export class CertificateError extends Error {
  override readonly name = 'CertificateError'
}

const pemCertificate = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g

/**
 * Reads a certificate chain and its key.
 * @param names what to call the two in errors, e.g. their paths
 * @param now ms since 1970
 * @throws CertificateError if either cannot be read, the key is another's, or the time is wrong
 */
export function readCertificate(
  cert: string,
  key: string,
  names: { readonly cert: string; readonly key: string },
  now: number,
): Certificate {
  const [leaf, ...issuers] = readChain(cert, names.cert)
  const privateKey = readKey(key, names.key)
  if (leaf === undefined || !leaf.checkPrivateKey(privateKey)) {
    const misplaced = issuers.some((issuer) => issuer.checkPrivateKey(privateKey))
    throw new CertificateError(
      misplaced
        ? `${names.cert}: the server's own certificate must come first, before its chain`
        : `${names.key} is not the key of ${names.cert}: use the pair that was issued together`,
    )
  }
  const notBefore = leaf.validFromDate.getTime()
  const notAfter = leaf.validToDate.getTime()
  if (now > notAfter) {
    throw new CertificateError(`${names.cert} expired on ${date(notAfter)}: renew it`)
  }
  if (now < notBefore) {
    const hint = 'check the clock of this machine'
    throw new CertificateError(`${names.cert} is not valid before ${date(notBefore)}: ${hint}`)
  }
  return {
    cert,
    key,
    sha256: createHash('sha256').update(leaf.raw).digest('hex'),
    notBefore,
    notAfter,
    selfSigned: isSelfSigned(leaf),
    pinnable:
      leaf.publicKey.asymmetricKeyType === 'ec' &&
      leaf.publicKey.asymmetricKeyDetails?.namedCurve === 'prime256v1' &&
      notAfter - notBefore <= maxPinnedValidity,
  }
}

function readChain(pem: string, name: string): X509Certificate[] {
  const blocks = pem.match(pemCertificate)
  if (blocks === null) {
    const hint = pem.includes('PRIVATE KEY-----')
      ? 'it is a private key (are --tls-cert and --tls-key swapped?)'
      : 'it must be PEM, beginning with -----BEGIN CERTIFICATE-----'
    throw new CertificateError(`${name} is not a certificate: ${hint}`)
  }
  return blocks.map((block) => {
    try {
      return new X509Certificate(block)
    } catch {
      throw new CertificateError(`${name} is not a certificate: its contents are damaged`)
    }
  })
}

function readKey(pem: string, name: string): KeyObject {
  if (!pem.includes('PRIVATE KEY-----')) {
    const hint = pem.includes('-----BEGIN CERTIFICATE-----')
      ? 'it is a certificate (are --tls-cert and --tls-key swapped?)'
      : 'it must be PEM, e.g. beginning with -----BEGIN PRIVATE KEY-----'
    throw new CertificateError(`${name} is not a private key: ${hint}`)
  }
  if (pem.includes('ENCRYPTED')) {
    const remedy = 'decrypt it with: openssl pkey -in <file> -out <file>'
    throw new CertificateError(`${name} is encrypted and the relay has no password: ${remedy}`)
  }
  try {
    return createPrivateKey(pem)
  } catch {
    throw new CertificateError(`${name} is not a private key: its contents are damaged`)
  }
}

function isSelfSigned(leaf: X509Certificate): boolean {
  return leaf.issuer === leaf.subject && leaf.verify(leaf.publicKey)
}

/** A day and minute in UTC for a message. */
export function date(time: number): string {
  return `${new Date(time).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}
