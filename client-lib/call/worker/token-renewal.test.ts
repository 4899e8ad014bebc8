import { describe, expect, it } from 'vitest'
import type { Clock } from '../../../moq/session/index.ts'
import { RequestCode, SessionCode } from '../../../moq/wire/codes.ts'
import type { RequestError } from '../../../moq/wire/messages.ts'
import { decodeAuthorizationToken } from '../../../moq/wire/parameters.ts'
import type { ReadToken } from '../token.ts'
import { tokenErrorOfRequest, tokenErrorOfSession } from './token-errors.ts'
import { type TokenAnswer, TokenRenewal, tokenSetup } from './token-renewal.ts'

const MINUTE = 60_000

class World {
  time = 0
  tasks: { at: number; task: () => void }[] = []
  asked: number[] = []
  sent: { token: ReadToken; answer: (answer: TokenAnswer) => void }[] = []
  refused: RequestError[] = []
  readonly clock: Clock = {
    now: () => this.time,
    after: (ms, task) => {
      const entry = { at: this.time + ms, task }
      this.tasks.push(entry)
      return () => {
        this.tasks = this.tasks.filter((other) => other !== entry)
      }
    },
  }
  readonly renewal: TokenRenewal

  constructor(expires: number, random = 0) {
    this.renewal = new TokenRenewal(expires, {
      clock: this.clock,
      wallClock: () => this.time,
      random: () => random,
      ask: () => this.asked.push(this.time),
      send: (token, answer) => this.sent.push({ token, answer }),
      onRefused: (error) => this.refused.push(error),
    })
  }

  advance(ms: number): void {
    const end = this.time + ms
    for (;;) {
      const next = this.tasks.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]
      if (!next) break
      this.tasks = this.tasks.filter((other) => other !== next)
      this.time = next.at
      next.task()
    }
    this.time = end
  }
}

const token = (expires: number): ReadToken => ({
  text: 'a.b.c',
  participant: 'ada',
  expires,
  thumbprint: null,
})
const error = (code: number): RequestError => ({
  type: 'REQUEST_ERROR',
  code,
  retryAfterMs: null,
  reason: 'why',
})

describe('TokenRenewal', () => {
  it('asks before the token ends, sends the next one, and goes on from there', () => {
    const world = new World(60 * MINUTE)
    world.advance(55 * MINUTE - 1)
    expect(world.asked).toEqual([])
    world.advance(1)
    expect(world.asked).toEqual([55 * MINUTE])
    world.renewal.offer(token(120 * MINUTE))
    world.sent[0]!.answer('taken')
    world.advance(60 * MINUTE)
    expect(world.asked).toEqual([55, 115].map((minutes) => minutes * MINUTE))
  })

  it('asks in the last quarter of a short life, and spreads callers over time', () => {
    const [short, spread] = [new World(40_000), new World(40_000, 0.8)]
    short.advance(40_000)
    spread.advance(40_000)
    expect([short.asked, spread.asked]).toEqual([[30_000], [26_000]])
  })

  it('asks again after a failure, a refusal, and an answer that says nothing of the token', () => {
    const world = new World(MINUTE)
    world.advance(45_000)
    world.renewal.failed()
    world.advance(5000)
    world.renewal.offer(token(10 * MINUTE))
    world.sent[0]!.answer(error(RequestCode.UNAUTHORIZED))
    expect(world.refused).toHaveLength(1)
    world.advance(5000)
    world.renewal.offer(token(10 * MINUTE))
    world.sent[1]!.answer('retry')
    world.advance(5000)
    expect(world.asked).toEqual([45_000, 50_000, 55_000, 60_000])
    expect(world.refused).toHaveLength(1)
  })

  it('does not storm an application that gives the same old token, or none in time', () => {
    const world = new World(-MINUTE)
    for (let i = 0; i < 3; i++) {
      world.advance(5000)
      world.renewal.offer(token(-MINUTE))
      world.sent[i]!.answer('taken')
    }
    expect(world.asked).toEqual([5000, 10_000, 15_000])
  })

  it('bears an expiry beyond what timers do, and stops when closed', () => {
    const world = new World(400 * 24 * 60 * MINUTE)
    expect(world.tasks[0]!.at).toBe(2 ** 31 - 1)
    world.renewal.close()
    world.renewal.failed()
    world.renewal.offer(token(1))
    expect([world.tasks, world.sent]).toEqual([[], []])
  })
})

describe('tokenSetup', () => {
  it('brings the token by value as type 0 (draft-18 section 10.3.1.4)', () => {
    expect(tokenSetup(null)).toEqual([])
    const [option] = tokenSetup(token(1))
    expect(option?.type).toBe(0x03)
    const value = new TextEncoder().encode('a.b.c')
    const decoded = decodeAuthorizationToken(option?.value as Uint8Array)
    expect(decoded).toEqual({ kind: 'use-value', type: 0, value })
  })
})

describe('what the relay says of a token', () => {
  it('becomes a sentence that says what to do', () => {
    const expired = tokenErrorOfSession(SessionCode.EXPIRED_AUTH_TOKEN, 'why', true)
    expect(expired).toMatchObject({ code: 'token-expired' })
    const refused = tokenErrorOfRequest(RequestCode.UNAUTHORIZED, 'wrong room', true)
    expect(refused).toMatchObject({ code: 'token-refused' })
    expect(refused?.message).toContain('wrong room')
    const missing = tokenErrorOfSession(SessionCode.UNAUTHORIZED, 'why', false)
    expect(missing).toMatchObject({ code: 'token-required' })
    for (const known of [expired, refused, missing]) expect(known?.message).toMatch(/link/)
    expect(tokenErrorOfRequest(RequestCode.DOES_NOT_EXIST, 'why', true)).toBeNull()
    expect(tokenErrorOfSession(SessionCode.NO_ERROR, 'why', true)).toBeNull()
  })
})
