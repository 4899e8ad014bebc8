import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../../moq/session/manual-clock.ts'
import { Presence } from './presence.ts'

function world(members: string[] = ['ann', 'bob']) {
  const clock = new ManualClock()
  const told: string[] = []
  const presence = new Presence({
    clock,
    mayReturn: (id) => members.includes(id),
    onAnnounced: (id) => told.push(`announced ${id}`),
    onWithdrawn: (id) => told.push(`withdrawn ${id}`),
    onCame: (id) => told.push(`came ${id}`),
    onGone: (id) => told.push(`gone ${id}`),
  })
  return { clock, told, presence, members }
}

const first = { name: 'a session' }
const second = { name: 'the next one' }

describe('presence', () => {
  it('tells of who comes and who goes, after a grace time that a member has', () => {
    const { clock, told, presence } = world()
    presence.announce(first, 'ann')
    presence.announce(first, 'eve')
    presence.withdraw(first, 'ann')
    presence.withdraw(first, 'eve')
    const before = ['announced ann', 'came ann', 'announced eve', 'came eve', 'withdrawn ann']
    expect(told).toEqual([...before, 'withdrawn eve', 'gone eve'])
    clock.advance(3000)
    expect(told.at(-1)).toBe('gone ann')
  })

  it('does not lose who is back in time', () => {
    const { clock, told, presence } = world()
    presence.announce(first, 'ann')
    presence.withdraw(first, 'ann')
    clock.advance(2000)
    presence.announce(first, 'ann')
    clock.advance(5000)
    expect(told).toEqual(['announced ann', 'came ann', 'withdrawn ann', 'announced ann'])
  })

  it('waits for nobody whom the group has removed', () => {
    const { told, presence, members } = world()
    presence.announce(first, 'ann')
    presence.withdraw(first, 'ann')
    members.splice(0)
    presence.review()
    expect(told.at(-1)).toBe('gone ann')
  })

  it('keeps all over the loss of our own session, until the next one has not named them', () => {
    const { clock, told, presence } = world()
    presence.announce(first, 'ann')
    presence.announce(first, 'bob')
    presence.lose(first)
    clock.advance(60_000)
    expect(told).not.toContain('gone ann')
    presence.settle()
    presence.announce(second, 'bob')
    clock.advance(5000)
    expect(told.slice(4)).toEqual(['withdrawn ann', 'gone ann'])
    presence.close()
    expect(clock.timers).toBe(0)
  })

  it('holds while either of two sessions names somebody', () => {
    const { told, presence } = world()
    presence.announce(first, 'ann')
    presence.announce(second, 'ann')
    presence.withdraw(first, 'ann')
    expect(told).toEqual(['announced ann', 'came ann'])
    presence.withdraw(second, 'ann')
    expect(told.at(-1)).toBe('withdrawn ann')
  })
})
