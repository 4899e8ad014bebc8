/** The relay's TLS certificate: made or read, explained to browsers, and kept fresh. */

export type { Certificate } from './certificate.ts'
export { CertificateError, maxPinnedValidity, readCertificate } from './certificate.ts'
export { CertificateKeeper, type KeeperOptions } from './keeper.ts'
export { makeSelfSigned, selfSignedValidity } from './self-signed.ts'
