import { createHash, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { CertificateError, day, maxPinnedValidity, readCertificate } from './certificate.ts'
import { makeSelfSigned } from './self-signed.ts'

const now = Date.UTC(2030, 0, 10, 12, 0, 0, 500)
const names = { cert: 'cert.pem', key: 'key.pem' }

describe('makeSelfSigned', () => {
  it('makes what browsers accept by hash', async () => {
    const made = await makeSelfSigned(['sfu.example.com', '10.1.2.3', 'localhost'], now)
    const parsed = new X509Certificate(made.cert)
    expect(parsed.publicKey.asymmetricKeyType).toBe('ec')
    expect(parsed.publicKey.asymmetricKeyDetails?.namedCurve).toBe('prime256v1')
    const validity = parsed.validToDate.getTime() - parsed.validFromDate.getTime()
    expect(validity).toBeLessThanOrEqual(maxPinnedValidity)
    expect(validity).toBeGreaterThan(12 * day)
    expect(parsed.validFromDate.getTime()).toBeLessThanOrEqual(now - 59 * 60 * 1000)
    expect(made.notAfter).toBe(parsed.validToDate.getTime())
    expect(parsed.subjectAltName?.split(', ')).toEqual([
      'DNS:localhost',
      'IP Address:127.0.0.1',
      'IP Address:0:0:0:0:0:0:0:1',
      'DNS:sfu.example.com',
      'IP Address:10.1.2.3',
    ])
    expect(parsed.ca).toBe(false)
    expect(parsed.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']) // serverAuth
    expect(parsed.verify(parsed.publicKey)).toBe(true)
    expect(made.sha256).toBe(createHash('sha256').update(parsed.raw).digest('hex'))
    expect(made.sha256).toMatch(/^[0-9a-f]{64}$/)
    expect(made).toMatchObject({ selfSigned: true, pinnable: true })
  })

  it('never makes two alike', async () => {
    const [a, b] = await Promise.all([makeSelfSigned([], now), makeSelfSigned([], now)])
    expect(a.sha256).not.toBe(b.sha256)
    const serials = [a, b].map(({ cert }) => new X509Certificate(cert).serialNumber)
    expect(serials[0]).not.toBe(serials[1])
    expect(a.key).not.toBe(b.key)
  })
})

describe('readCertificate', () => {
  const problem = (cert: string, key: string, at = now): string => {
    try {
      readCertificate(cert, key, names, at)
    } catch (error) {
      expect(error).toBeInstanceOf(CertificateError)
      const { message } = error as CertificateError
      expect(message).not.toContain('\n')
      return message
    }
    throw new Error('no error')
  }

  it('reads a leaf with its chain and remarks around the PEM', async () => {
    const leaf = await makeSelfSigned([], now)
    const issuer = await makeSelfSigned([], now)
    const chain = `subject=leaf\n${leaf.cert}\nsubject=issuer\n${issuer.cert}`
    const read = readCertificate(chain, leaf.key, names, now)
    expect(read.sha256).toBe(leaf.sha256)
    expect(read.cert).toBe(chain)
  })

  it('says what is wrong', async () => {
    const one = await makeSelfSigned([], now)
    const other = await makeSelfSigned([], now)
    const damaged = one.cert.replace(/\nMII./, '\nAAAA')
    expect(problem('', one.key)).toContain('cert.pem is not a certificate: it must be PEM')
    expect(problem(one.key, one.cert)).toContain('--tls-cert and --tls-key swapped?')
    expect(problem(damaged, one.key)).toBe(
      'cert.pem is not a certificate: its contents are damaged',
    )
    expect(problem(one.cert, 'nothing')).toContain('key.pem is not a private key: it must be PEM')
    expect(problem(one.cert, one.cert)).toContain('--tls-cert and --tls-key swapped?')
    expect(problem(one.cert, one.key.replace(/\nMIG./, '\nAAAA'))).toBe(
      'key.pem is not a private key: its contents are damaged',
    )
    expect(problem(one.cert, other.key)).toContain('key.pem is not the key of cert.pem')
    expect(problem(`${other.cert}${one.cert}`, one.key)).toContain('must come first')
    expect(problem(one.cert, one.key, one.notAfter + 1)).toBe(
      'cert.pem expired on 2030-01-23 11:00 UTC: renew it',
    )
    expect(problem(one.cert, one.key, one.notBefore - 1)).toBe(
      'cert.pem is not valid before 2030-01-10 11:00 UTC: check the clock of this machine',
    )
  })

  it('explains an encrypted key', async () => {
    const { cert } = await makeSelfSigned([], now)
    const { privateKey } = generateKeyPairSync('ec', {
      namedCurve: 'P-256',
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' },
    })
    expect(problem(cert, privateKey)).toContain('key.pem is encrypted')
  })
})
