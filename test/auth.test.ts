/**
 * Admission by token, from the command line to the wire: who gets in, what they may do there, and how
 * a right ends. Real: the relay's process, `sotto token`, QUIC and WebTransport clients, Chromium.
 */

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readToken } from '../client-lib/call/token.ts'
import { sendToken, type TokenAnswer, tokenSetup } from '../client-lib/call/worker/token-renewal.ts'
import type { Call, JoinOptions, Snapshot } from '../client-lib/index.ts'
import { Session } from '../moq/session/index.ts'
import { connectQuic, connectWebTransport } from '../moq/transport/quiche/client.ts'
import type { CloseInfo } from '../moq/transport/transport.ts'
import { RequestCode, SessionCode } from '../moq/wire/codes.ts'
import { type Namespace, namespaceOf, trackOf } from '../moq/wire/names.ts'
import { buildApp } from '../scripts/build-app.ts'
import { makeSigningKey, signKeyProof, thumbprintOf } from '../sfu/admission/index.ts'
import { Caller } from './support/call-page.ts'
import { launchChromium } from './support/chromium.ts'
import { type RelayProcess, runRelay, startRelay } from './support/relay-process.ts'

const SETUP_MS = 1500
const UNAUTHORIZED = RequestCode.UNAUTHORIZED
const trust = { kind: 'none' } as const
const protocols = ['moqt-18']
const room = (name: string) => namespaceOf('sotto', name)
const place = (name: string, participant: string) => namespaceOf('sotto', name, participant)

let folder: string
let jwks: string
let relay: RelayProcess
/** Every token that was made, none of which may be logged. */
const tokens: string[] = []

/** `sotto token issue`, with its answer. */
async function issue(...args: string[]): Promise<string> {
  const key = join(folder, 'keys/signing-key.json')
  const { code, stdout, stderr } = await runRelay(['token', 'issue', '--key', key, ...args])
  expect({ code, stderr }).toMatchObject({ code: 0 })
  const token = stdout.trim()
  tokens.push(token)
  return token
}

class Client {
  readonly session: Session
  readonly closed: Promise<CloseInfo>
  readonly ready: Promise<void>

  private constructor(
    transport: ConstructorParameters<typeof Session>[0],
    token: string | null,
    proof: string | null,
  ) {
    const closed = Promise.withResolvers<CloseInfo>()
    const ready = Promise.withResolvers<void>()
    this.closed = closed.promise
    this.ready = ready.promise
    this.session = new Session(transport, {
      role: 'client',
      setup: tokenSetup(token === null ? null : readToken(token), proof),
      handler: { onReady: () => ready.resolve(), onClosed: closed.resolve },
    })
  }

  static async connect(
    token: string | null,
    kind: 'quic' | 'webtransport' = 'quic',
    proof: string | null = null,
  ) {
    const port = Number(new URL(relay.urls.relay).port)
    const transport =
      kind === 'quic'
        ? await connectQuic({ host: '127.0.0.1', port, protocols, trust })
        : await connectWebTransport(relay.urls.relay, { protocols, trust })
    return new Client(transport, token, proof)
  }

  /** Null when the relay takes it, else the code of its refusal. */
  publish(namespace: Namespace): Promise<number | null> {
    return new Promise((resolve) => {
      this.session.publishNamespace(namespace, {
        onAccepted: () => resolve(null),
        onRejected: ({ code }) => resolve(code),
      })
    })
  }

  watch(prefix: Namespace): Promise<number | null> {
    return new Promise((resolve) => {
      this.session.subscribeNamespace(prefix, {
        onAccepted: () => resolve(null),
        onRejected: ({ code }) => resolve(code),
        onNamespace: () => {},
        onNamespaceDone: () => {},
      })
    })
  }

  subscribe(namespace: Namespace): Promise<number | null> {
    return new Promise((resolve) => {
      this.session.subscribe(
        trackOf(namespace, 'audio'),
        {},
        {
          onAccepted: () => resolve(null),
          onRejected: ({ code }) => resolve(code),
          onObject: () => {},
        },
      )
    })
  }

  renew(token: string, proof: string | null = null): Promise<TokenAnswer> {
    const read = readToken(token)
    return new Promise((resolve) => sendToken(this.session, 'demo', read, resolve, proof))
  }

  close(): void {
    this.session.close(0, 'done')
  }
}

const post = (body: unknown) =>
  fetch(`${relay.urls.ops}/revoke`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sotto-auth-'))
  const made = await runRelay(['token', 'keys', '--out', join(folder, 'keys')])
  expect(made).toMatchObject({ code: 0 })
  jwks = join(folder, 'keys/jwks.json')
  expect(await runRelay(['check-config', '--auth', jwks])).toMatchObject({ code: 0, stderr: '' })
  relay = await startRelay([
    ...['--engine', 'quiche', '--auth', jwks],
    ...['--handshake-timeout', `${SETUP_MS}ms`, '--log-level', 'debug'],
  ])
})

afterAll(async () => {
  await relay?.stop()
  await rm(folder, { recursive: true })
})

describe('a relay with --auth', () => {
  it('tells pages that it wants a token', async () => {
    const config = await fetch(`${relay.urls.web}/config.json`)
    const text = await config.text()
    expect(JSON.parse(text)).toMatchObject({
      auth: 'token',
      issuerKeys: JSON.parse(await readFile(jwks, 'utf8')),
    })
    const { d } = JSON.parse(await readFile(join(folder, 'keys/signing-key.json'), 'utf8'))
    expect(text).not.toContain(d)
    expect(text).not.toContain('"d"')
  })

  it('refuses a copy of a token that is bound to a key, and of its proof', async () => {
    const own = await makeSigningKey()
    const cnf = await thumbprintOf(own)
    const token = await issue('--room', 'demo', '--sub', 'ada', '--cnf', cnf)
    const prove = () => signKeyProof(own, { token, room: 'demo', issued: Date.now() })
    const proof = await prove()
    const ada = await Client.connect(token, 'quic', proof)
    expect(await ada.publish(place('demo', 'ada'))).toBeNull()
    // In the same session the key is proved already.
    expect(await ada.renew(token)).toBe('taken')
    const { code } = { code: SessionCode.UNAUTHORIZED }
    const copy = await Client.connect(token)
    expect(await copy.closed).toMatchObject({ by: 'peer', code })
    const replay = await Client.connect(token, 'webtransport', proof)
    const reason = 'the proof of the key was used before'
    expect(await replay.closed).toMatchObject({ by: 'peer', code, reason })
    const thief = await makeSigningKey()
    const stolen = await signKeyProof(thief, { token, room: 'demo', issued: Date.now() })
    expect(await (await Client.connect(token, 'quic', stolen)).closed).toMatchObject({ code })
    const late = await Client.connect(null)
    await late.ready
    expect(await late.renew(token)).toMatchObject({ code: UNAUTHORIZED })
    expect(await late.renew(token, await prove())).toBe('taken')
    expect(await late.publish(place('demo', 'ada'))).toBeNull()
    for (const client of [ada, late]) client.close()
  })

  it('lets in by a token in SETUP, over raw QUIC and WebTransport', async () => {
    const token = await issue('--room', 'demo', '--sub', 'ada')
    for (const kind of ['quic', 'webtransport'] as const) {
      const client = await Client.connect(token, kind)
      expect(await client.publish(place('demo', 'ada'))).toBeNull()
      expect(await client.watch(room('demo'))).toBeNull()
      client.close()
    }
  })

  it('refuses what the token does not cover, request by request, and the session stays', async () => {
    const client = await Client.connect(await issue('--room', 'demo', '--sub', 'ada'))
    expect(await client.watch(room('other'))).toBe(UNAUTHORIZED)
    expect(await client.watch(namespaceOf('sotto'))).toBe(UNAUTHORIZED)
    expect(await client.publish(place('other', 'ada'))).toBe(UNAUTHORIZED)
    expect(await client.publish(place('demo', 'bob'))).toBe(UNAUTHORIZED)
    expect(await client.subscribe(place('other', 'bob'))).toBe(UNAUTHORIZED)
    expect(await client.subscribe(place('demo', 'bob'))).toBe(RequestCode.DOES_NOT_EXIST)
    expect(await client.publish(place('demo', 'ada'))).toBeNull()
    client.close()
  })

  it('gives what --publish and --subscribe add', async () => {
    const client = await Client.connect(
      await issue('--room', 'demo', '--publish', 'news', '--subscribe', 'sotto/other'),
    )
    expect(await client.publish(namespaceOf('news', 'today'))).toBeNull()
    expect(await client.watch(room('other'))).toBeNull()
    client.close()
  })

  it('closes a session without a token in time, and one with a bad token at once', async () => {
    const nobody = await Client.connect(null)
    await nobody.ready
    const since = performance.now()
    expect(await nobody.publish(place('demo', 'eve'))).toBe(UNAUTHORIZED)
    expect(await nobody.closed).toMatchObject({ by: 'peer', code: SessionCode.UNAUTHORIZED })
    expect(performance.now() - since).toBeGreaterThan(SETUP_MS / 2)
    const [head, body] = (await issue('--room', 'demo')).split('.')
    const forged = await Client.connect(`${head}.${body}.${'A'.repeat(86)}`)
    expect(await forged.closed).toMatchObject({
      code: SessionCode.UNAUTHORIZED,
      reason: "the token's signature is wrong",
    })
  })

  it('takes a first token with a request', async () => {
    const token = await issue('--room', 'demo', '--sub', 'ada')
    const client = await Client.connect(null)
    await client.ready
    expect(await client.renew(token)).toBe('taken')
    expect(await client.publish(place('demo', 'ada'))).toBeNull()
    client.close()
  })

  it('ends a session with its token, and keeps one whose token was renewed', async () => {
    const who = ['--room', 'demo', '--sub', 'ada']
    const long = await issue(...who)
    const short = await issue(...who, '--ttl', '3s')
    const [over, kept] = [await Client.connect(short), await Client.connect(short)]
    await kept.ready
    expect(await kept.renew(`${long.slice(0, -8)}AAAAAAAA`)).toMatchObject({ code: UNAUTHORIZED })
    expect(await kept.renew(long)).toBe('taken')
    expect(await over.closed).toMatchObject({ by: 'peer', code: SessionCode.EXPIRED_AUTH_TOKEN })
    await pause(200)
    expect(await kept.publish(place('demo', 'ada'))).toBeNull()
    kept.close()
    const late = await Client.connect(short)
    expect(await late.closed).toMatchObject({ code: SessionCode.EXPIRED_AUTH_TOKEN })
  })

  it('ends sessions by POST /revoke, of a token or of a participant', async () => {
    const first = await issue('--room', 'demo', '--sub', 'ada', '--jti', 'lost')
    const second = await issue('--room', 'demo', '--sub', 'ada')
    const [one, two] = [await Client.connect(first), await Client.connect(second)]
    expect([await one.watch(room('demo')), await two.watch(room('demo'))]).toEqual([null, null])
    expect(await (await post({ jti: 'lost' })).json()).toMatchObject({
      revoked: true,
      until: new Date(readToken(first).expires).toISOString(),
      sessionsEnded: 1,
    })
    expect(await one.closed).toMatchObject({
      code: SessionCode.UNAUTHORIZED,
      reason: 'the token was revoked',
    })
    expect(two.session.closed).toBe(false)
    expect(await (await post({ room: 'demo', sub: 'ada' })).json()).toMatchObject({
      sessionsEnded: 1,
    })
    expect(await two.closed).toMatchObject({ code: SessionCode.UNAUTHORIZED })
    const again = await Client.connect(second)
    expect(await again.closed).toMatchObject({ code: SessionCode.UNAUTHORIZED })
  })

  it('ends the sessions of a key that leaves the JWKS, and takes it back when it returns', async () => {
    const token = await issue('--room', 'demo', '--sub', 'cleo')
    const client = await Client.connect(token)
    expect(await client.watch(room('demo'))).toBeNull()
    const before = await readFile(jwks, 'utf8')
    await runRelay(['token', 'keys', '--out', join(folder, 'others')])
    await writeFile(jwks, await readFile(join(folder, 'others/jwks.json')))
    relay.signal('SIGHUP')
    expect(await client.closed).toMatchObject({
      code: SessionCode.UNAUTHORIZED,
      reason: 'the key that signed the token was removed from the JWKS',
    })
    await writeFile(jwks, before)
    relay.signal('SIGHUP')
    await expect.poll(() => relay.output().match(/token issuer changed/g)?.length).toBe(2)
    const back = await Client.connect(token)
    expect(await back.watch(room('demo'))).toBeNull()
    back.close()
  })

  it('counts it, and logs no token', async () => {
    const metrics = await (await fetch(`${relay.urls.ops}/metrics`)).text()
    const counted = (name: string) => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(metrics)?.[1])
    expect(counted('sotto_admission_refused_total\\{cause="missing"\\}')).toBe(1)
    expect(counted('sotto_admission_refused_total\\{cause="bad-signature"\\}')).toBe(1)
    expect(counted('sotto_admission_ended_total\\{cause="revoked"\\}')).toBe(2)
    expect(counted('sotto_admission_ended_total\\{cause="unknown-key"\\}')).toBe(1)
    expect(counted('sotto_requests_unauthorized_total')).toBeGreaterThan(4)
    expect(counted('sotto_revocations')).toBe(2)
    const output = relay.output()
    for (const token of tokens) {
      for (const part of token.split('.').slice(1)) expect(output).not.toContain(part)
    }
    expect(output).not.toMatch(/"level":"error"/)
  })
})

describe('the call page of a relay with --auth', () => {
  it('asks for a token, takes one from the link, and keeps it out of the address', async () => {
    await buildApp({ quiet: true })
    const token = await issue('--room', 'page', '--sub', 'dora')
    const browser = await launchChromium()
    try {
      const query = { room: 'page', name: 'Dora', autojoin: '1' }
      const without = await Caller.open(browser, relay.urls.web, query)
      await without.page.waitForSelector('#token-field:not([hidden])')
      expect(await without.page.textContent('#token-problem')).toContain('Nobody gets in here')
      await without.page.fill('#token', token)
      await without.page.click('#join')
      const { self } = await without.until('in the call', ({ state }) => state === 'connected')
      expect(self).toBe('dora')
      await without.close()

      const bad = await issue('--room', 'elsewhere')
      const wrong = await Caller.open(browser, relay.urls.web, { ...query, token: bad })
      const { error } = await wrong.until('refused', ({ state }) => state === 'failed')
      expect(error?.code).toBe('token-refused')
      expect(wrong.page.url()).not.toContain('token')
      await wrong.close()

      const other = await issue('--room', 'page', '--sub', 'dora again')
      const given = await Caller.open(browser, relay.urls.web, { ...query, token: other })
      await given.until('in the call', ({ state }) => state === 'connected')
      expect(given.page.url()).toBe(`${relay.urls.web}/?room=page&name=Dora&autojoin=1`)
      await given.close()
    } finally {
      await browser.close()
    }
  })

  it('asks a token function at the join, again before the token ends, and the call goes on', async () => {
    const browser = await launchChromium()
    try {
      const [other, later] = await Promise.all(
        ['frida', 'emil'].map((sub) => issue('--room', 'page', '--sub', sub)),
      )
      const query = { room: 'page', name: 'Frida', autojoin: '1', video: '0', audio: '0' }
      const caller = await Caller.open(browser, relay.urls.web, { ...query, token: other! })
      await caller.until('in the call', ({ state }) => state === 'connected')
      await caller.leave()
      const first = await issue('--room', 'page', '--sub', 'emil', '--ttl', '10s')
      // The page has no function for a token; its bundle has the class that takes one.
      const call = await caller.page.evaluateHandle(
        async ({ url, tokens }) => {
          const { certificateHashes } = await (await fetch('/config.json')).json()
          const PageCall = globalThis.sotto!.call!.constructor as new (options: JoinOptions) => Call
          const media = { audio: false, video: false }
          const token = async () => tokens.shift()!
          const who = { room: 'page', name: 'Emil' }
          const made = new PageCall({ url, certificateHashes, ...who, media, token })
          return { made, tokens }
        },
        { url: relay.urls.relay, tokens: [first, later!] },
      )
      const look = () =>
        call.evaluate(({ made, tokens }) => ({ state: made.state, left: tokens.length }))
      await expect.poll(look, { timeout: 20_000 }).toEqual({ state: 'connected', left: 0 })
      await pause(readToken(first).expires - Date.now() + 1000)
      expect(await look()).toEqual({ state: 'connected', left: 0 })
      await caller.close()
    } finally {
      await browser.close()
    }
  })

  it('binds tokens to the keys of callers, who know each other by them, also after a reload', async () => {
    const browser = await launchChromium()
    const { issuerKeys } = await (await fetch(`${relay.urls.web}/config.json`)).json()
    const thumbprints: string[] = []
    /** Ids that the application gives to who had another before. */
    const subs = new Map<string, string>()
    try {
      const open = async (sub: string) => {
        const other = await issue('--room', 'elsewhere')
        const query = { room: 'elsewhere', name: sub, token: other, video: '0', audio: '0' }
        const caller = await Caller.open(browser, relay.urls.web, { ...query, autojoin: '1' })
        await caller.page.exposeFunction('issueToken', (thumbprint: string) => {
          thumbprints.push(thumbprint)
          return issue('--room', 'bound', '--sub', subs.get(sub) ?? sub, '--cnf', thumbprint)
        })
        return caller
      }
      const join = async ({ page, name }: Caller) => {
        await page.waitForFunction(() => globalThis.sotto?.call)
        return page.evaluateHandle(
          async ({ url, name, issuerKeys }) => {
            const { certificateHashes } = await (await fetch('/config.json')).json()
            const PageCall = globalThis.sotto!.call!.constructor as new (o: JoinOptions) => Call
            const media = { audio: false, video: false }
            const { issueToken } = globalThis as unknown as {
              issueToken(thumbprint: string): Promise<string>
            }
            const token = (request: { thumbprint: string }) => issueToken(request.thumbprint)
            const who = { room: 'bound', name, issuerKeys }
            return new PageCall({ url, certificateHashes, ...who, media, token })
          },
          { url: relay.urls.relay, name, issuerKeys },
        )
      }
      const until = async (
        call: Awaited<ReturnType<typeof join>>,
        condition: (snapshot: Snapshot) => boolean,
      ) => {
        let seen = await call.evaluate((one) => one.snapshot())
        await expect
          .poll(
            async () => {
              seen = await call.evaluate((one) => one.snapshot())
              return condition(seen) ? 'so' : JSON.stringify(seen)
            },
            { timeout: 20_000 },
          )
          .toBe('so')
        return seen
      }
      const [gerd, hilde] = [await open('gerd'), await open('hilde')]
      const first = await join(gerd)
      await until(first, ({ state }) => state === 'connected')
      const second = await join(hilde)
      const together = ({ participants, verificationCode }: Snapshot) =>
        participants.length === 2 && verificationCode !== ''
      const before = await until(second, together)
      const { verificationCode } = await until(first, (now) => {
        return together(now) && now.epoch === before.epoch
      })
      expect(verificationCode).toBe(before.verificationCode)
      expect(new Set(thumbprints).size).toBe(2)

      const back = await issue('--room', 'elsewhere')
      await hilde.page.goto(`${relay.urls.web}/?room=elsewhere&name=h&autojoin=1&token=${back}`)
      const again = await join(hilde)
      const after = await until(again, (now) => together(now) && now.epoch > before.epoch)
      // The same key, the same member: one commit of its own, and nobody was added or removed.
      expect(thumbprints.at(-1)).toBe(thumbprints.at(-2))
      expect(after.epoch).toBe(before.epoch + 1)
      const others = await until(first, (now) => now.epoch === after.epoch && together(now))
      expect(others.verificationCode).toBe(after.verificationCode)
      expect([...others.participants, ...after.participants].flatMap((one) => one.alarms)).toEqual(
        [],
      )

      // Another id with the same key would be two members with one key, for a while.
      subs.set('hilde', 'ines')
      const other = await issue('--room', 'elsewhere')
      await hilde.page.goto(`${relay.urls.web}/?room=elsewhere&name=h&autojoin=1&token=${other}`)
      const third = await join(hilde)
      const { self } = await until(third, (now) => now.state === 'connected')
      expect(self).toBe('ines')
      expect(thumbprints.slice(-3)[0]).toBe(thumbprints.slice(-3)[1])
      expect(new Set(thumbprints).size).toBe(3)
      await gerd.close()
      await hilde.close()
    } finally {
      await browser.close()
    }
  })
})
