import { describe, expect, it } from 'vitest'
import { createTransportPair } from '../moq/transport/memory.ts'
import { SessionCode } from '../moq/wire/codes.ts'
import { ProtocolError } from '../moq/wire/errors.ts'
import { makeCounters } from './operate/counters.ts'
import { createLogger } from './operate/log.ts'
import { SessionRefusals } from './session-refusals.ts'

function start() {
  const lines: Record<string, unknown>[] = []
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) }
  const counters = makeCounters()
  const log = createLogger({ level: 'info', format: 'json', destination })
  return { lines, counters, refusals: new SessionRefusals(log, counters) }
}

const session = () => createTransportPair().server

describe('SessionRefusals', () => {
  it('explains each session that an engine turns away, and names nobody', () => {
    const { lines, counters, refusals } = start()
    const asked = { kind: 'webtransport', peer: '192.0.2.1:5', path: '/call?name=Ada+L' } as const
    refusals.byEngine({ ...asked, status: 400, reason: 'no MoQT version in common' })
    refusals.byEngine({ ...asked, status: 404, reason: 'nothing is served at this path' })
    refusals.byEngine({ ...asked, status: 421, reason: 'another authority' })
    refusals.byEngine({ ...asked, status: 503, reason: 'the relay is full' })
    expect(lines).toHaveLength(4)
    expect(lines[0]).toMatchObject({
      msg: 'session refused',
      session: 1,
      path: '/call',
      reason: 'no MoQT version in common',
    })
    expect(JSON.stringify(lines)).not.toContain('Ada')
    expect(counters.sessionsRefused).toMatchObject({ version: 1, target: 2, limit: 0 })
  })

  it('explains what SETUP was refused for, and no bug of ours', () => {
    const { lines, counters, refusals } = start()
    const error = new ProtocolError('nothing is served at this path', SessionCode.INVALID_PATH)
    expect(refusals.bySetup(session(), error)).toBe(error)
    refusals.bySetup(session(), new Error('a bug'))
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatchObject({ code: SessionCode.INVALID_PATH, reason: error.message })
    expect(counters.sessionsRefused.target).toBe(1)
  })

  it('tells a session that never had a right from one that lost it', () => {
    const { lines, counters, refusals } = start()
    const end = {
      code: SessionCode.UNAUTHORIZED,
      reason: 'no token came',
      cause: 'missing',
    } as const
    refusals.byToken(session(), { ...end, wasAdmitted: false })
    refusals.byToken(session(), { ...end, wasAdmitted: true })
    expect(lines.map(({ msg }) => msg)).toEqual([
      'session refused',
      'session ended: its right ended',
    ])
    expect(counters.sessionsRefused.token).toBe(1)
  })

  it('names a session the same in every line', () => {
    const { refusals } = start()
    const [one, two] = [session(), session()]
    expect(refusals.fieldsOf(one).session).toBe(1)
    expect(refusals.fieldsOf(two).session).toBe(2)
    expect(refusals.fieldsOf(one)).toEqual({ session: 1, peer: one.peer })
  })
})
