import { describe, expect, it } from 'vitest'
import { makeCounters } from './operate/counters.ts'
import { SessionGate } from './session-gate.ts'

function gate(maxSessions: number, maxSessionsPerAddress: number) {
  const counters = makeCounters()
  const gate = new SessionGate({ maxSessions, maxSessionsPerAddress }, counters)
  const admit = (peer: string) =>
    gate.admit({
      kind: 'quic',
      path: '',
      authority: '',
      origin: null,
      offered: ['moqt-18'],
      protocol: 'moqt-18',
      peer,
    })
  return { gate, counters, admit }
}

describe('SessionGate', () => {
  it('bounds the sessions of all engines together', () => {
    const { gate: door, counters, admit } = gate(2, 2)
    expect(admit('192.0.2.1:1')).toEqual({ accept: true, protocol: 'moqt-18' })
    admit('192.0.2.2:1')
    expect(admit('192.0.2.3:1')).toMatchObject({ accept: false, status: 503 })
    expect([counters.limits.sessions, counters.sessionsRefused.limit]).toEqual([1, 1])
    door.closed('192.0.2.1:1')
    expect(admit('192.0.2.3:1').accept).toBe(true)
  })

  it('bounds the sessions from one address, whatever their ports', () => {
    const { gate: door, counters, admit } = gate(10, 1)
    admit('[2001:db8::1]:1')
    expect(admit('[2001:db8::1]:2')).toMatchObject({ accept: false, status: 429 })
    expect([counters.limits['address-sessions'], counters.limits.sessions]).toEqual([1, 0])
    expect(admit('[2001:db8::2]:1').accept).toBe(true)
    door.closed('[2001:db8::1]:1')
    expect(admit('[2001:db8::1]:2').accept).toBe(true)
    expect(door.sessions).toBe(2)
  })

  it('lets nobody in while the relay drains, and says when all are gone', async () => {
    const { gate: door, counters, admit } = gate(10, 10)
    admit('192.0.2.1:1')
    door.close()
    expect(admit('192.0.2.2:1')).toMatchObject({ accept: false, status: 503 })
    expect(counters.sessionsRefused).toMatchObject({ draining: 1, limit: 0 })
    const empty = door.whenEmpty(60_000)
    // One that was never let in, such as our own service, counts for nothing.
    door.closed('memory:1')
    expect(door.sessions).toBe(1)
    door.closed('192.0.2.1:1')
    await empty
    expect(door.sessions).toBe(0)
  })
})
