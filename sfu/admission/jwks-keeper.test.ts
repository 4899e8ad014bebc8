import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseJwks } from './jwks.ts'
import { JwksKeeper } from './jwks-keeper.ts'
import { jwksOf, makeSigningKey } from './make-token.ts'
import { TestClock } from './test-support.ts'

describe('parseJwks', () => {
  it('explains in one line what is wrong', async () => {
    const key = await makeSigningKey()
    const rsa = { kty: 'RSA', n: 'AQAB', e: 'AQAB' }
    const cases: [string, RegExp][] = [
      ['{', /^jwks is not JSON$/],
      ['[]', /^jwks is not a JWKS/],
      ['{"keys":[]}', /^jwks holds no public key for EdDSA/],
      [JSON.stringify({ keys: [rsa] }), /holds no public key/],
      [JSON.stringify({ keys: [key.privateJwk] }), /key 1 is secret/],
      [JSON.stringify(jwksOf(key, key)), /two keys with the kid/],
      [JSON.stringify({ keys: [{ ...key.publicJwk, x: 'AA' }] }), /key 1 cannot be read/],
    ]
    for (const [text, message] of cases) {
      await expect(parseJwks(text, 'jwks'), text).rejects.toThrow(message)
    }
  })

  it('passes over keys for other uses', async () => {
    const [key, other] = [await makeSigningKey(), await makeSigningKey('ES256')]
    const keys = [
      { kty: 'RSA', n: 'AQAB', e: 'AQAB' },
      { ...other.publicJwk, use: 'enc' },
    ]
    const parsed = await parseJwks(JSON.stringify({ keys: [...keys, key.publicJwk] }), 'jwks')
    expect(parsed.map((one) => one.keyId)).toEqual([key.keyId])
  })
})

describe('JwksKeeper', () => {
  let folder: string
  let clock: TestClock
  let problems: string[]
  const onProblem = (sentence: string) => problems.push(sentence)

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sotto-jwks-'))
    clock = new TestClock()
    problems = []
  })
  afterEach(() => rm(folder, { recursive: true }))

  it('reads a file again, tells of changes and keeps good keys when the file turns bad', async () => {
    const path = join(folder, 'jwks.json')
    const [old, fresh] = [await makeSigningKey(), await makeSigningKey()]
    await writeFile(path, JSON.stringify(jwksOf(old)))
    const keeper = await JwksKeeper.open({
      location: { kind: 'jwks-file', path },
      clock,
      onProblem,
    })
    let changes = 0
    keeper.onChange(() => changes++)
    expect(await keeper.check()).toBe(false)
    await writeFile(path, JSON.stringify(jwksOf(fresh)))
    expect(await keeper.check()).toBe(true)
    expect(changes).toBe(1)
    expect(await keeper.find('EdDSA', old.keyId)).toBeNull()
    expect(await keeper.find('EdDSA', fresh.keyId)).not.toBeNull()
    await writeFile(path, '{')
    await keeper.check()
    await keeper.check()
    expect(problems).toEqual([`${path} is not JSON; the keys in use stay`])
    expect(await keeper.find('EdDSA', fresh.keyId)).not.toBeNull()
    expect(clock.timers).toBe(1)
    keeper.close()
    expect(clock.timers).toBe(0)
  })

  it('refuses to start without its file', async () => {
    const location = { kind: 'jwks-file', path: join(folder, 'none') } as const
    const opening = JwksKeeper.open({ location, clock, onProblem })
    await expect(opening).rejects.toThrow(/^cannot read .*none: no such file$/)
  })

  it('asks a URL again early for an unknown key, but not often', async () => {
    const [old, fresh] = [await makeSigningKey(), await makeSigningKey()]
    let answer = JSON.stringify(jwksOf(old))
    let asked = 0
    const fetch = async () => {
      asked++
      return new Response(answer)
    }
    const location = { kind: 'jwks-url', url: 'https://id.example/jwks?secret' } as const
    const keeper = await JwksKeeper.open({ location, clock, onProblem, fetch })
    answer = JSON.stringify(jwksOf(old, fresh))
    expect(await keeper.find('EdDSA', fresh.keyId)).toBeNull()
    expect(asked).toBe(1)
    clock.advance(10_000)
    expect(await keeper.find('EdDSA', fresh.keyId)).not.toBeNull()
    expect(await keeper.find('EdDSA', 'unknown')).toBeNull()
    expect(asked).toBe(2)
    clock.advance(300_000)
    expect(asked).toBe(3)
    keeper.close()
  })

  it('says why a URL cannot be used, without its query', async () => {
    const location = { kind: 'jwks-url', url: 'https://id.example/jwks?secret' } as const
    const open = (fetch: typeof globalThis.fetch) =>
      JwksKeeper.open({ location, clock, onProblem, fetch })
    await expect(open(async () => new Response('', { status: 404 }))).rejects.toThrow(
      /^https:\/\/id\.example\/jwks answers with status 404$/,
    )
    const refused = () => Promise.reject(new TypeError('fetch failed', { cause: new Error('no') }))
    await expect(open(refused)).rejects.toThrow(/^cannot fetch https:\/\/id\.example\/jwks: no$/)
    const large = async () => new Response('x'.repeat(300_000))
    await expect(open(large)).rejects.toThrow(/too large/)
  })
})
