import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { namespaceOf } from '../../moq/wire/names.ts'
import { findKey, parseJwks } from './jwks.ts'
import { KeyProofs } from './key-proof.ts'
import { makeSigningKey, type SigningKey, signKeyProof, thumbprintOf } from './make-token.ts'
import { Revocations } from './revocation.ts'
import { START, utf8 } from './test-support.ts'
import { runTokenCommand, TokenCommandError } from './token-command.ts'
import { TokenVerifier } from './tokens.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sotto-token-'))
})

afterEach(() => rm(folder, { recursive: true }))

let ids = 0
const run = (...argv: string[]) =>
  runTokenCommand(argv, { wallClock: () => START, randomId: () => `random-${++ids}` })

async function problem(...argv: string[]): Promise<string> {
  const error: unknown = await run(...argv).catch((reason) => reason)
  expect(error).toBeInstanceOf(TokenCommandError)
  const { message } = error as TokenCommandError
  expect(message).not.toContain('\n')
  return message
}

async function keys(...more: string[]): Promise<{ key: string; jwks: string }> {
  const { stdout } = await run('keys', '--out', join(folder, 'keys'), ...more)
  const [key = '', jwks = ''] = stdout.split('\n')
  return { key, jwks }
}

async function admit(token: string, jwks: string, holder?: SigningKey) {
  const listed = await parseJwks(await readFile(jwks, 'utf8'), 'jwks')
  const verifier = new TokenVerifier({
    keys: {
      find: async (algorithm, keyId) => findKey(listed, algorithm, keyId),
      holds: () => true,
    },
    revocations: new Revocations(),
    proofs: new KeyProofs({ wallClock: () => START }),
    wallClock: () => START,
  })
  const text = token.trim()
  const claims = { token: text, room: 'a room', issued: START }
  const proofs = holder ? [utf8(await signKeyProof(holder, claims))] : []
  const verdict = await verifier.verify(utf8(text), { proofs, holds: () => false })
  if (!verdict.valid) throw new Error(verdict.refusal.sentence)
  return verdict.admission
}

describe('sotto token', () => {
  it.each(['EdDSA', 'ES256'])('makes %s keys whose tokens a relay takes', async (algorithm) => {
    const { key, jwks } = await keys('--algorithm', algorithm)
    expect((await stat(key)).mode & 0o777).toBe(0o600)
    expect(await readFile(jwks, 'utf8')).not.toContain('"d"')
    const { stdout, stderr } = await run('issue', '--key', key, '--room', 'demo', '--sub', 'ada')
    expect(stdout).toMatch(/^eyJ[\w-]+\.[\w-]+\.[\w-]+\n$/)
    expect(stderr).not.toContain(stdout.trim())
    expect(JSON.parse(stderr)).toMatchObject({ room: 'demo', sub: 'ada' })
    expect(await admit(stdout, jwks)).toMatchObject({
      room: 'demo',
      participant: 'ada',
      expires: START + 3_600_000,
      tokenId: expect.stringContaining('random-'),
      confirmationThumbprint: null,
    })
  })

  it('takes every claim', async () => {
    const holder = await makeSigningKey('ES256')
    const { key, jwks } = await keys()
    const { stdout } = await run(
      ...['issue', '--key', key, '--room', 'a room', '--ttl', '90s', '--jti', 'one'],
      ...['--publish', 'news/today', '["with/slash","x"]', '--subscribe', 'news'],
      ...['--cnf', await thumbprintOf(holder)],
    )
    const { permissions, ...rest } = await admit(stdout, jwks, holder)
    expect(rest).toMatchObject({ room: 'a room', tokenId: 'one', expires: START + 90_000 })
    expect(rest.confirmationThumbprint).toBe(await thumbprintOf(holder))
    expect(rest.participant).toMatch(/^random-/)
    expect(permissions.publish.slice(1)).toEqual([
      namespaceOf('news', 'today'),
      namespaceOf('with/slash', 'x'),
    ])
    expect(permissions.subscribe.slice(1)).toEqual([namespaceOf('news')])
  })

  it('never overwrites a key', async () => {
    const { key, jwks } = await keys()
    const before = await readFile(key, 'utf8')
    expect(await problem('keys', '--out', join(folder, 'keys'))).toContain('exists already')
    await rm(key)
    expect(await problem('keys', '--out', join(folder, 'keys'))).toContain(jwks)
    await writeFile(key, before)
    expect(await readFile(key, 'utf8')).toBe(before)
  })

  it('warns where others can read the signing key', async () => {
    const { key } = await keys()
    await chmod(key, 0o644)
    const { stderr } = await run('issue', '--key', key, '--room', 'demo')
    expect(stderr).toContain(`chmod 600 ${key}`)
  })

  it('says in one line what is wrong', async () => {
    const { key, jwks } = await keys()
    const issue = (...argv: string[]) => problem('issue', '--key', key, ...argv)
    expect(await issue()).toContain('--room')
    expect(await issue('--room', '.mls')).toContain('--room cannot be used')
    expect(await issue('--room', 'r', '--sub', '')).toContain('--sub cannot be used')
    expect(await issue('--room', 'r', '--ttl', '1')).toContain('--ttl must be a time from 1s')
    expect(await issue('--room', 'r', '--ttl', '9999h')).toContain('--ttl must be')
    expect(await issue('--room', 'r', '--cnf', 'x')).toContain('--cnf must be 43')
    expect(await issue('--room', 'r', '--jti', '')).toContain('--jti must be')
    for (const prefix of ['', 'a//b', '[1]', '["a"', '["a",""]', Array(33).fill('a').join('/')]) {
      expect(await issue('--room', 'r', '--publish', prefix)).toContain('--publish must be a names')
    }
    const long = Array.from({ length: 60 }, (_, n) => `${n}${'x'.repeat(200)}`)
    expect(await issue('--room', 'r', '--subscribe', ...long)).toContain('name fewer namespaces')
    const with_ = (path: string) => problem('issue', '--key', path, '--room', 'r')
    expect(await with_(join(folder, 'none'))).toContain('no such file')
    expect(await with_(jwks)).toContain('is not a key for EdDSA')
    const odd = join(folder, 'odd.json')
    await writeFile(odd, 'secret text')
    expect(await with_(odd)).toBe(`${odd} is not JSON`)
    const { d: _, ...open } = JSON.parse(await readFile(key, 'utf8'))
    await writeFile(odd, JSON.stringify(open))
    expect(await with_(odd)).toContain('is a public key')
    expect(await problem('keys', '--out', folder, '--algorithm', 'none')).toContain(
      'EdDSA or ES256',
    )
    expect(await problem('keys')).toContain('--out')
    expect(await problem('steal')).toContain('unknown command')
  })

  it('explains itself', async () => {
    for (const argv of [[], ['--help']]) {
      const { stdout } = await run(...argv)
      expect(stdout).toContain('sotto token issue --key keys/signing-key.json --room demo')
    }
    expect((await run('issue', '--help')).stdout).toContain('--cnf <thumbprint>')
  })
})
