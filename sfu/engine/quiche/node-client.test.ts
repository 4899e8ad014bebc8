/** `moq/node` against the engine, both transports on one port, over real UDP on loopback. */

import { createSocket } from 'node:dgram'
import { describe, expect, it } from 'vitest'
import { type ConnectOptions, connect } from '../../../moq/node/index.ts'
import type { SessionHandler } from '../../../moq/session/handler.ts'
import { Session } from '../../../moq/session/session.ts'
import type { TransportSession } from '../../../moq/transport/transport.ts'
import { RequestCode } from '../../../moq/wire/codes.ts'
import type { Setup } from '../../../moq/wire/messages.ts'
import { namespaceOf, textOf, trackOf } from '../../../moq/wire/names.ts'
import { VERSIONS } from '../../../moq/wire/versions.ts'
import type { EngineOptions } from '../index.ts'
import { checkSetupTarget, type ServedTargets, targetOf } from '../target.ts'
import { silentHandler } from '../test-support.ts'
import { certificate, cleanups, start } from './engine-rig.ts'

const TRUST = { kind: 'hash', sha256: certificate.sha256 } as const

/** An engine whose sessions are MoQT's, served as a relay serves them. */
async function serve(served: ServedTargets, changes: Partial<EngineOptions> = {}) {
  const setups: { transport: TransportSession; setup: Setup }[] = []
  const { engine } = await start({
    served,
    onSession: (transport) => {
      const handler: SessionHandler = {
        onReady: (setup) => {
          if (transport.kind === 'quic') checkSetupTarget(served, setup)
          setups.push({ transport, setup })
        },
        onSubscribe: (request) =>
          request.reject(RequestCode.DOES_NOT_EXIST, textOf(request.track.name) ?? ''),
      }
      new Session(transport, { role: 'server', handler })
    },
    ...changes,
  })
  return { engine, setups, at: `127.0.0.1:${engine.address.port}` }
}

const ALL = { paths: [], authorities: [] }

async function open(url: string, options: Partial<ConnectOptions> = {}): Promise<Session> {
  const session = await connect(url, { handler: {}, trust: TRUST, ...options })
  cleanups.push(() => session.close(0, ''))
  return session
}

/** The reason with which the server rejects: its answer to this very session. */
function ask(session: Session, name: string): Promise<string> {
  return new Promise((resolve) => {
    session.subscribe(
      trackOf(namespaceOf('a'), name),
      {},
      {
        onRejected: ({ reason }) => resolve(reason),
        onObject: () => {},
      },
    )
  })
}

describe('connect', () => {
  it('opens MoQT over raw QUIC with PATH and AUTHORITY of the URL (section 3.1.4)', async () => {
    const { at, setups } = await serve(ALL)
    const session = await open(`moqt://${at}/call?room=a#demo:b`, { implementation: 'test/1' })
    expect(session.ready).toBe(true)
    expect(session.transport).toMatchObject({ kind: 'quic', protocol: 'moqt-18' })
    expect(await ask(session, 'x')).toBe('x')
    expect(setups.map(({ setup }) => targetOf(setup))).toEqual([
      { path: '/call?room=a', authority: at },
    ])
    expect(setups[0]!.setup.options.map(({ type }) => type)).toEqual([0x01, 0x05, 0x07])
  })

  it('opens MoQT over WebTransport without them (section 3.1.3)', async () => {
    const { at, setups } = await serve(ALL)
    const session = await open(`https://${at}/call?room=a`)
    expect(session.transport).toMatchObject({ kind: 'webtransport', path: '/call?room=a' })
    expect(await ask(session, 'x')).toBe('x')
    expect(targetOf(setups[0]!.setup)).toEqual({ path: null, authority: null })
    expect(setups[0]!.transport.path).toBe('/call?room=a')
  })

  it.each([
    ['moqt', ['moqt-19'], 'moqt-19'],
    ['https', ['moqt-19'], 'moqt-19'],
    // An ALPN list is in the client's order of preference, and quiche goes by that; the order of
    // WT-Available-Protocols leaves the choice to the server.
    ['moqt', ['moqt-20', 'moqt-19', 'moqt-18'], 'moqt-19'],
    ['https', ['moqt-20', 'moqt-19', 'moqt-18'], 'moqt-18'],
    ['moqt', [...VERSIONS], 'moqt-18'],
  ])('over %s offers %j and speaks %s', async (scheme, versions, spoken) => {
    const { at } = await serve(ALL, { protocols: VERSIONS })
    const session = await open(`${scheme}://${at}/call`, { versions })
    expect(session.ready).toBe(true)
    expect(session.transport.protocol).toBe(spoken)
    expect(await ask(session, 'x')).toBe('x')
  })

  it('goes both ways on one UDP port at the same time', async () => {
    const { at, engine } = await serve(ALL)
    const urls = ['moqt://', 'https://', 'moqt://', 'https://'].map((scheme) => `${scheme}${at}/`)
    const sessions = await Promise.all(urls.map((url) => open(url)))
    const answers = await Promise.all(sessions.map((session, i) => ask(session, `track ${i}`)))
    expect(answers).toEqual(['track 0', 'track 1', 'track 2', 'track 3'])
    expect(engine.stats().sessions).toBe(4)
  })

  it('tells the program of the end of an established session, and no more', async () => {
    const { at, engine } = await serve(ALL)
    const { promise: closed, resolve } = Promise.withResolvers<number>()
    await open(`moqt://${at}/`, { handler: { onClosed: ({ code }) => resolve(code) } })
    await engine.close()
    expect(await closed).toBe(0)
  })
})

describe('what is served', () => {
  const served = { paths: ['/call'], authorities: ['127.0.0.1'] }

  it.each(['moqt', 'https'])('is served by %s, with any query', async (scheme) => {
    const { at } = await serve(served)
    await open(`${scheme}://${at}/call?room=a`)
  })

  it('is refused by INVALID_PATH over raw QUIC (section 10.3.1.2)', async () => {
    const { at } = await serve(served)
    await expect(refusal(`moqt://${at}/other`)).resolves.toMatchObject({ code: 0x8 })
  })

  it('is refused by INVALID_AUTHORITY over raw QUIC (section 10.3.1.1)', async () => {
    const { at } = await serve({ paths: [], authorities: ['relay.example'] })
    await expect(refusal(`moqt://${at}/`)).resolves.toMatchObject({ code: 0x19 })
  })

  /** SETUP of both sides crosses: the refusal may come before or after `connect` has answered. */
  async function refusal(url: string): Promise<{ code: number; reason: string }> {
    return new Promise((resolve, reject) => {
      connect(url, { trust: TRUST, handler: { onClosed: resolve } }).catch(
        (error: { kind?: string }) => {
          if (error.kind !== 'refused') reject(error)
        },
      )
    })
  }

  it('is refused by status 404 or 421 over WebTransport', async () => {
    const { at, engine } = await serve(served)
    await expect(open(`https://${at}/other`)).rejects.toMatchObject({
      kind: 'refused',
      message: expect.stringContaining('status 404: nothing is served at this path'),
    })
    const elsewhere = await serve({ paths: [], authorities: ['relay.example'] })
    await expect(open(`https://${elsewhere.at}/`)).rejects.toThrow(/status 421/)
    expect(engine.stats().sessionsRefused).toBe(1)
  })
})

describe('a failure to connect', () => {
  it('says that no version is common, over either transport', async () => {
    const { at } = await serve(ALL)
    const versions = ['moqt-99']
    await expect(open(`moqt://${at}/`, { versions })).rejects.toMatchObject({
      kind: 'no-common-version',
      message: expect.stringContaining('speaks none of the protocols offered'),
    })
    // A status is all that HTTP has for it.
    await expect(open(`https://${at}/`, { versions })).rejects.toMatchObject({
      kind: 'refused',
      message: expect.stringContaining('wt-available-protocols must offer moqt-18'),
    })
  })

  it('says that the certificate is not trusted', async () => {
    const { at } = await serve(ALL)
    for (const url of [`moqt://${at}/`, `https://${at}/`]) {
      const wrong = { kind: 'hash', sha256: '00'.repeat(32) } as const
      await expect(open(url, { trust: wrong })).rejects.toMatchObject({ kind: 'certificate' })
      await expect(open(url, { trust: { kind: 'roots' } })).rejects.toMatchObject({
        kind: 'certificate',
      })
    }
    await open(`moqt://${at}/`, { trust: { kind: 'roots', ca: certificate.certPem } })
  })

  it('says that a hash is none, before it sends anything', async () => {
    const trust = { kind: 'hash', sha256: 'abc' } as const
    await expect(open('moqt://127.0.0.1:9/', { trust })).rejects.toMatchObject({
      kind: 'certificate',
    })
  })

  it('says that only this machine is connected to without a check', async () => {
    const { at } = await serve(ALL)
    await open(`moqt://${at}/`, { trust: { kind: 'none' } })
    await expect(open('moqt://192.0.2.1:9/', { trust: { kind: 'none' } })).rejects.toMatchObject({
      kind: 'certificate',
      message: expect.stringContaining('192.0.2.1 is not this machine'),
    })
  })

  it('says that nobody answers in time', async () => {
    const sink = createSocket('udp4')
    cleanups.push(() => sink.close())
    await new Promise<void>((bound) => sink.bind(0, '127.0.0.1', bound))
    const at = `127.0.0.1:${sink.address().port}`
    for (const url of [`moqt://${at}/`, `https://${at}/`]) {
      await expect(open(url, { timeoutMs: 50 })).rejects.toMatchObject({ kind: 'timeout' })
    }
  })

  it('says that the server sends no SETUP in time', async () => {
    const { at } = await serve(ALL, {
      onSession: (session) => {
        session.handler = silentHandler()
      },
    })
    await expect(open(`moqt://${at}/`, { timeoutMs: 100 })).rejects.toMatchObject({
      kind: 'timeout',
      message: `${at} sent no SETUP in time`,
    })
  })

  it('passes on why the server refuses', async () => {
    const { at } = await serve(ALL, {
      accept: () => ({ accept: false, status: 403, reason: 'not today' }),
    })
    for (const url of [`moqt://${at}/`, `https://${at}/`]) {
      await expect(open(url)).rejects.toMatchObject({
        kind: 'refused',
        message: expect.stringContaining('not today'),
      })
    }
  })

  it('says that a name has no address', async () => {
    await expect(open('moqt://nowhere.invalid/')).rejects.toMatchObject({ kind: 'unreachable' })
  })
})
