import { describe, expect, it } from 'vitest'
import { HiddenMembers } from './hidden-members.ts'

describe('members that hold keys and are not announced', () => {
  it('are shown with an alarm once they cannot be on their way out any more', () => {
    let now = 0
    const members = new HiddenMembers(() => now)
    const announced = new Set(['bob'])
    const isAnnounced = (id: string) => announced.has(id)
    members.update(['bob', 'mallory'], isAnnounced)
    expect(members.infos()).toEqual([])
    now = 12_000
    members.update(['bob', 'mallory'], isAnnounced)
    expect(members.infos()).toMatchObject([{ id: 'mallory', alarms: [expect.any(String)] }])
  })

  it('are forgotten when they are announced or removed, and counted anew', () => {
    let now = 0
    const members = new HiddenMembers(() => now)
    members.update(['carol', 'dave'], () => false)
    now = 11_000
    members.update(['carol'], () => false)
    now = 12_000
    members.update(['carol', 'dave'], (id) => id === 'carol')
    now = 23_000
    members.update(['carol', 'dave'], () => false)
    expect(members.infos()).toEqual([])
    now = 24_000
    expect(members.infos().map(({ id }) => id)).toEqual(['dave'])
  })
})
