import { describe, expect, it } from 'vitest'
import { MOST_ENTRIES, MOST_IN_ALL, MOST_ROOMS, type RoomsSource, roomsView } from './rooms-view.ts'

/** @param rooms how many there are; @param entries in each of two lists of a room */
function source(rooms: number, entries = 1): RoomsSource & { dumped: string[] } {
  const names = Array.from({ length: rooms }, (_, index) => `room ${index}`)
  const list = Array.from({ length: entries }, (_, index) => ({ index }))
  const dumped: string[] = []
  return {
    dumped,
    names: () => names,
    groupNames: () => names.slice(0, 1),
    room: (room) => {
      dumped.push(room)
      return { room, participants: list, tracks: { list } }
    },
    group: (room) => ({ room, epoch: 3 }),
  }
}

describe('roomsView', () => {
  it('shows all rooms and groups where there are few', () => {
    expect(roomsView(source(2), null)).toEqual({
      rooms: [
        { room: 'room 0', participants: [{ index: 0 }], tracks: { list: [{ index: 0 }] } },
        { room: 'room 1', participants: [{ index: 0 }], tracks: { list: [{ index: 0 }] } },
      ],
      groups: [{ room: 'room 0', epoch: 3 }],
    })
    expect(roomsView(source(0), null)).toEqual({ rooms: [], groups: [] })
  })

  it('looks into so many rooms at most, and says what it left out', () => {
    const many = source(5000)
    const view = roomsView(many, null)
    expect(view.rooms).toHaveLength(MOST_ROOMS)
    expect(many.dumped).toHaveLength(MOST_ROOMS)
    expect(view.leftOut).toEqual({ rooms: 5000 - MOST_ROOMS, groups: 0, entries: 0 })
    expect(view.hint).toContain('/rooms?room=')
  })

  it('cuts long lists, and all together', () => {
    expect(roomsView(source(1, MOST_ENTRIES + 7), null).leftOut?.entries).toBe(14)
    const view = roomsView(source(MOST_ROOMS, MOST_ENTRIES), null)
    expect(view.rooms.length * 2 * MOST_ENTRIES).toBeLessThan(MOST_IN_ALL + 2 * MOST_ENTRIES)
    expect(view.leftOut?.rooms).toBe(MOST_ROOMS - view.rooms.length)
  })

  it('shows any one room that is asked for', () => {
    const view = roomsView(source(5000), 'room 4000')
    expect(view.rooms).toMatchObject([{ room: 'room 4000' }])
    expect(view.groups).toEqual([])
    expect(view).not.toHaveProperty('leftOut')
    expect(roomsView(source(1), 'other')).toEqual({ rooms: [], groups: [] })
  })
})
