import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import './reflect.ts'
import { X509CertificateGenerator } from '@peculiar/x509'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Certificate, day } from './certificate.ts'
import { CertificateKeeper } from './keeper.ts'
import { makeSelfSigned } from './self-signed.ts'

const start = Date.UTC(2030, 0, 1)
let time = start
let problems: string[] = []
let keepers: CertificateKeeper[] = []
const now = () => time
const onProblem = (message: string) => problems.push(message)

async function open(files: { cert: string; key: string } | null): Promise<CertificateKeeper> {
  const keeper = await CertificateKeeper.open({ names: [], files, now, onProblem })
  keepers.push(keeper)
  return keeper
}

beforeEach(() => {
  time = start
  problems = []
  keepers = []
})

afterEach(() => {
  for (const keeper of keepers) keeper.close()
})

describe('a certificate made here', () => {
  it('is followed by another whose hash is told days before', async () => {
    const keeper = await open(null)
    const seen: Certificate[] = []
    keeper.onRotate((certificate) => seen.push(certificate))
    const first = keeper.current
    expect(keeper.hashes()).toEqual([first.sha256])

    time = start + 7 * day
    expect(await keeper.check()).toBe(false)
    expect(keeper.hashes()).toHaveLength(1)

    time = start + 8 * day
    expect(await keeper.check()).toBe(false)
    expect(keeper.current).toBe(first)
    const [, announced] = keeper.hashes()
    expect(announced).toMatch(/^[0-9a-f]{64}$/)

    time = start + 11 * day
    expect(await keeper.check()).toBe(true)
    expect(keeper.current.sha256).toBe(announced)
    expect(keeper.hashes()).toEqual([announced, first.sha256])
    expect(seen.map(({ sha256 }) => sha256)).toEqual([announced])

    time = first.notAfter + 1
    expect(keeper.hashes()).toEqual([announced])
    expect(problems).toEqual([])
  })

  it('is valid at every hour of a year, and so is each hash told three days before', async () => {
    const keeper = await open(null)
    const told: { at: number; hashes: string[] }[] = []
    let changes = 0
    for (time = start; time < start + 365 * day; time += 6 * 60 * 60 * 1000) {
      if (await keeper.check()) changes++
      const { notBefore, notAfter, sha256, pinnable } = keeper.current
      expect(notBefore <= time && time < notAfter && pinnable).toBe(true)
      told.push({ at: time, hashes: keeper.hashes() })
      const before = told.findLast(({ at }) => at <= time - 2.5 * day)
      if (before !== undefined) expect(before.hashes).toContain(sha256)
    }
    expect(changes).toBeGreaterThan(30)
  })

  it('is replaced at once after the machine slept through its life', async () => {
    const keeper = await open(null)
    time = start + 9 * day
    await keeper.check()
    time = start + 40 * day
    expect(await keeper.check()).toBe(true)
    expect(keeper.current.notAfter).toBeGreaterThan(time + 10 * day)
    expect(keeper.hashes()).toEqual([keeper.current.sha256])
  })

  it('goes on telling listeners after one throws, and not those that left', async () => {
    const keeper = await open(null)
    let calls = 0
    keeper.onRotate(() => {
      throw new Error('engine says no')
    })
    keeper.onRotate(() => calls++)
    keeper.onRotate(() => calls++)()
    time = start + 12 * day
    await keeper.check()
    expect(calls).toBe(1)
    expect(problems).toEqual(['a new certificate was not taken everywhere: engine says no'])
  })

  it('changes once when asked twice at a time', async () => {
    const keeper = await open(null)
    let calls = 0
    keeper.onRotate(() => calls++)
    time = start + 12 * day
    await Promise.all([keeper.check(), keeper.check()])
    expect(calls).toBe(1)
  })
})

describe('a certificate in files', () => {
  let folder: string
  let files: { cert: string; key: string }

  const store = async ({ cert, key }: { cert: string; key: string }) => {
    await writeFile(files.cert, cert)
    await writeFile(files.key, key)
  }

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sotto-certificate-'))
    files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') }
  })

  afterEach(() => rm(folder, { recursive: true }))

  it('is read again when it changes', async () => {
    await store(await makeSelfSigned([], time))
    const keeper = await open(files)
    const first = keeper.current
    expect(keeper.hashes()).toEqual([first.sha256])
    expect(await keeper.check()).toBe(false)

    const renewed = await makeSelfSigned([], time)
    await writeFile(files.cert, renewed.cert)
    expect(await keeper.check()).toBe(false)
    expect(await keeper.check()).toBe(false)
    expect(keeper.current).toBe(first)
    expect(problems).toHaveLength(1)
    expect(problems[0]).toMatch(/key\.pem is not the key of .*cert\.pem.*in use stays$/)

    await writeFile(files.key, renewed.key)
    expect(await keeper.check()).toBe(true)
    expect(keeper.current.sha256).toBe(renewed.sha256)
  })

  it('survives files that vanish, and warns before and after it expires', async () => {
    await store(await makeSelfSigned([], time))
    const keeper = await open(files)
    await rm(files.key)
    expect(await keeper.check()).toBe(false)
    expect(problems.pop()).toMatch(/cannot read .*key\.pem: no such file; .* stays$/)
    await writeFile(files.key, keeper.current.key)
    time = keeper.current.notAfter - day
    await keeper.check()
    expect(problems.pop()).toMatch(/cert\.pem expires on 2030-01-13 23:00 UTC: renew it$/)
    time = keeper.current.notAfter + day
    await keeper.check()
    expect(problems.pop()).toMatch(/cert\.pem expired on 2030-01-13 23:00 UTC: renew it$/)
  })

  it('needs no hash from an authority, and a warning if self-signed for long', async () => {
    const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
    const make = async (issuer: string, days: number) => {
      const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
      const authority = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
      const certificate = await X509CertificateGenerator.create({
        subject: 'CN=relay',
        issuer,
        notBefore: new Date(time),
        notAfter: new Date(time + days * day),
        publicKey: keys.publicKey,
        signingKey: issuer === 'CN=relay' ? keys.privateKey : authority.privateKey,
        signingAlgorithm: algorithm,
      })
      const der = await crypto.subtle.exportKey('pkcs8', keys.privateKey)
      const key = Buffer.from(der).toString('base64')
      return {
        cert: certificate.toString('pem'),
        key: `-----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----\n`,
      }
    }
    await store(await make('CN=authority', 6))
    expect((await open(files)).hashes()).toEqual([])
    expect(problems).toEqual([])

    await store(await make('CN=relay', 365))
    const long = await open(files)
    expect(long.hashes()).toEqual([])
    expect(long.current).toMatchObject({ selfSigned: true, pinnable: false })
    expect(problems[0]).toContain('self-signed, which browsers refuse')
  })

  it('is an error at the start when it cannot be used', async () => {
    await expect(open(files)).rejects.toThrow(/cannot read .*cert\.pem: no such file/)
    await store({ cert: 'x', key: 'y' })
    await expect(open(files)).rejects.toThrow(/cert\.pem is not a certificate/)
  })
})
