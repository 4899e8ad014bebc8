import { describe, expect, it } from 'vitest'
import { AddressTokens } from './address-token.ts'

const peer = { host: '192.0.2.1', port: 4433 }
const id = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8])

function tokens(clock: { now: number }, fill = 7) {
  return new AddressTokens(new Uint8Array(32).fill(fill), () => clock.now)
}

describe('address tokens', () => {
  it('give back the connection id to the address that they were issued for', () => {
    const made = tokens({ now: 1000 })
    const token = made.issue(peer, id)
    expect([...made.verify(peer, token)!]).toEqual([...id])
    expect(made.verify({ ...peer, port: 4434 }, token)).toBeNull()
    expect(made.verify({ ...peer, host: '192.0.2.2' }, token)).toBeNull()
  })

  it('end', () => {
    const clock = { now: 1000 }
    const made = tokens(clock)
    const token = made.issue(peer, id)
    clock.now += 10_000
    expect(made.verify(peer, token)).not.toBeNull()
    clock.now += 1
    expect(made.verify(peer, token)).toBeNull()
  })

  it('cannot be made or changed by others', () => {
    const clock = { now: 1000 }
    const token = tokens(clock).issue(peer, id)
    expect(tokens(clock, 8).verify(peer, token)).toBeNull()
    for (let i = 0; i < token.length; i++) {
      const changed = token.slice()
      changed[i] = changed[i]! ^ 1
      expect(tokens(clock).verify(peer, changed)).toBeNull()
    }
    for (const length of [0, 10, 21, 100]) {
      expect(tokens(clock).verify(peer, new Uint8Array(length))).toBeNull()
    }
  })
})
