import { describe, expect, it } from 'vitest'
import { TestLink } from '../../../moq/session/test-pair.ts'
import { RequestCode } from '../../../moq/wire/codes.ts'
import { type AuthorizationToken, decodeAuthorizationToken } from '../../../moq/wire/parameters.ts'
import type { Property } from '../../../moq/wire/properties.ts'
import type { ReadToken } from '../token.ts'
import type { CallError } from '../types.ts'
import type { WorkerOptions } from '../worker-protocol.ts'
import { Admission } from './admission.ts'

const START = Date.UTC(2030, 0, 1)
const MINUTE = 60_000

const tokenOf = (text: string, expires: number): ReadToken => {
  return { text, participant: 'ada', expires, thumbprint: null }
}
const textsOf = (tokens: readonly AuthorizationToken[]) =>
  tokens.map((token) => (token.kind === 'use-value' ? new TextDecoder().decode(token.value) : ''))
const textsIn = (setup: readonly Property[]) =>
  textsOf(setup.map(({ value }) => decodeAuthorizationToken(value as Uint8Array)))

/** Ada's admission, with a token that ends after `lifeMs`; and relays, of which each has a session. */
function world(lifeMs: number, { renewsToken = true } = {}) {
  const link = new TestLink()
  const { clock } = link
  const wanted: number[] = []
  const taken: string[] = []
  const refused: CallError[] = []
  const call: WorkerOptions = {
    url: 'https://relay.example/',
    room: 'demo',
    name: 'Ada',
    participantId: 'ada',
    token: tokenOf('first', START + lifeMs),
    renewsToken,
    renewsHashes: false,
    usualTransport: null,
  }
  const admission = new Admission(
    {
      call,
      seat: { keys: null, thumbprint: null },
      clock,
      wallClock: () => START + clock.now(),
      random: () => 0,
    },
    {
      onTokenWanted: () => wanted.push(clock.now()),
      onTaken: (text) => taken.push(text),
      onRefused: (error) => refused.push(error),
      onBug: (error) => {
        throw error
      },
    },
  )
  /** A session with a relay that notes what tokens are brought to it. */
  const relay = (refuses = false) => {
    const own = new TestLink()
    const brought: string[] = []
    own.session('server', {
      onTrackStatus: (request) => {
        brought.push(...textsOf(request.parameters.authorizationTokens ?? []))
        request.reject(
          refuses ? RequestCode.UNAUTHORIZED : RequestCode.DOES_NOT_EXIST,
          'wrong room',
        )
      },
    })
    const session = own.session('client', {})
    return { session, brought, settle: () => own.settle() }
  }
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve))
  return { admission, clock, wanted, taken, refused, relay, settle }
}

describe('a token on its way to a new connection', () => {
  it('is the one that there is, while it holds', async () => {
    const { admission, clock, wanted } = world(10 * MINUTE)
    clock.advance(9 * MINUTE)
    expect(textsIn(await admission.setup())).toEqual(['first'])
    expect(wanted).toEqual([])
  })

  it('is a new one where it ended while there was no connection', async () => {
    const { admission, clock, wanted, settle } = world(10 * MINUTE)
    clock.advance(11 * MINUTE)
    const setup = admission.setup()
    await settle()
    expect(wanted).toEqual([11 * MINUTE])
    admission.offer(tokenOf('second', START + 30 * MINUTE))
    expect(textsIn(await setup)).toEqual(['second'])
    expect(textsIn(await admission.setup())).toEqual(['second'])
    expect(wanted).toHaveLength(1)
  })

  it('is a new one where the relay says that it ended, whatever our clock says', async () => {
    const { admission, wanted, settle } = world(10 * MINUTE)
    expect(admission.expire()).toBe(true)
    const setup = admission.setup()
    await settle()
    expect(wanted).toHaveLength(1)
    admission.offer(tokenOf('second', START + 30 * MINUTE))
    expect(textsIn(await setup)).toEqual(['second'])
  })

  it('is the old one where the application has none, or takes too long: the relay says what it thinks', async () => {
    const { admission, clock, settle } = world(MINUTE)
    clock.advance(2 * MINUTE)
    const refusedByApplication = admission.setup()
    await settle()
    admission.offer(null)
    expect(textsIn(await refusedByApplication)).toEqual(['first'])
    const slow = admission.setup()
    await settle()
    clock.advance(3000)
    expect(textsIn(await slow)).toEqual(['first'])
  })

  it('is never a new one where the application gave a string: it ends with the call', async () => {
    const { admission, clock, wanted } = world(MINUTE, { renewsToken: false })
    clock.advance(2 * MINUTE)
    expect(textsIn(await admission.setup())).toEqual(['first'])
    expect(admission.expire()).toBe(false)
    expect(wanted).toEqual([])
  })

  it('is not waited for when the call ends', async () => {
    const { admission, clock, settle } = world(MINUTE)
    clock.advance(2 * MINUTE)
    const setup = admission.setup()
    await settle()
    admission.close()
    await setup
    expect(clock.timers).toBe(0)
  })
})

describe('a token that is renewed during the call', () => {
  it('goes to the connection that there is then, after a reconnect to the newer one', async () => {
    const { admission, clock, wanted, relay, settle } = world(10 * MINUTE)
    const [before, after] = [relay(), relay()]
    admission.keep(before.session)
    before.session.close(0, 'the network went')
    admission.keep(after.session)
    clock.advance(8 * MINUTE)
    expect(wanted).toEqual([7.5 * MINUTE])
    admission.offer(tokenOf('second', START + 30 * MINUTE))
    await settle()
    await after.settle()
    expect([before.brought, after.brought]).toEqual([[], ['second']])
    // And the connection after that begins with it.
    expect(textsIn(await admission.setup())).toEqual(['second'])
  })

  it('while there is no connection, is asked for again once, and brought to the next', async () => {
    const { admission, clock, wanted, relay, settle } = world(10 * MINUTE)
    const [before, after] = [relay(), relay()]
    admission.keep(before.session)
    before.session.close(0, 'the network went')
    clock.advance(8 * MINUTE)
    admission.offer(tokenOf('second', START + 30 * MINUTE))
    await settle()
    admission.keep(after.session)
    clock.advance(5000)
    expect(wanted).toEqual([7.5 * MINUTE, 8 * MINUTE + 5000])
    admission.offer(tokenOf('third', START + 40 * MINUTE))
    await settle()
    await after.settle()
    expect(after.brought).toEqual(['third'])
  })

  it('and refused is told, and asked for again', async () => {
    const { admission, clock, wanted, refused, relay, settle } = world(10 * MINUTE)
    const { session, settle: deliver } = relay(true)
    admission.keep(session)
    clock.advance(8 * MINUTE)
    admission.offer(tokenOf('second', START + 30 * MINUTE))
    await settle()
    await deliver()
    expect(refused.map(({ code }) => code)).toEqual(['token-refused'])
    clock.advance(5000)
    expect(wanted).toHaveLength(2)
  })
})
