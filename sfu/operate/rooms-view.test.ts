import { describe, expect, it } from 'vitest'
import {
  boundsOfShare,
  DEFAULT_ROOMS_BOUNDS,
  mergedRoomsView,
  type RoomsSource,
  roomsView,
} from './rooms-view.ts'

const { maxRoomsShown, maxEntriesShown, maxEntriesShownInAll } = DEFAULT_ROOMS_BOUNDS

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
    expect(view.rooms).toHaveLength(maxRoomsShown)
    expect(many.dumped).toHaveLength(maxRoomsShown)
    expect(view.leftOut).toEqual({ rooms: 5000 - maxRoomsShown, groups: 0, entries: 0 })
    expect(view.hint).toContain('/rooms?room=')
  })

  it('cuts long lists, and all together', () => {
    expect(roomsView(source(1, maxEntriesShown + 7), null).leftOut?.entries).toBe(14)
    const view = roomsView(source(maxRoomsShown, maxEntriesShown), null)
    expect(view.rooms).toHaveLength(maxEntriesShownInAll / (2 * maxEntriesShown))
    expect(view.leftOut?.rooms).toBe(maxRoomsShown - view.rooms.length)
  })

  it('keeps to the bounds that it is given', () => {
    const bounds = { maxRoomsShown: 3, maxEntriesShown: 4, maxEntriesShownInAll: 10 }
    const view = roomsView(source(9, 5), null, bounds)
    // Lists of 4, 4 and 2; a room whose lists would be empty is not shown.
    expect(view.rooms).toMatchObject([
      { participants: { length: 4 }, tracks: { list: { length: 4 } } },
      { participants: { length: 2 }, tracks: { list: { length: 0 } } },
    ])
    expect(view.leftOut).toEqual({ rooms: 7, groups: 1, entries: 10 })
  })

  it('shows any one room that is asked for', () => {
    const view = roomsView(source(5000), 'room 4000')
    expect(view.rooms).toMatchObject([{ room: 'room 4000' }])
    expect(view.groups).toEqual([])
    expect(view).not.toHaveProperty('leftOut')
    expect(roomsView(source(1), 'other')).toEqual({ rooms: [], groups: [] })
  })

  it('of several processes is one, about as long as that of one', () => {
    const three = [source(2), source(0), source(1)].map((one) => roomsView(one, null))
    expect(mergedRoomsView(three)).toMatchObject({ rooms: [{}, {}, {}], groups: [{}, {}] })
    expect(mergedRoomsView(three)).not.toHaveProperty('leftOut')
    expect(mergedRoomsView([])).toEqual({ rooms: [], groups: [] })
    const share = boundsOfShare(DEFAULT_ROOMS_BOUNDS, 3)
    const merged = mergedRoomsView(
      [500, 500, 500].map((rooms) => roomsView(source(rooms), null, share)),
    )
    expect(merged.rooms).toHaveLength(maxRoomsShown + 2)
    expect(merged.leftOut).toEqual({ rooms: 1500 - merged.rooms.length, groups: 0, entries: 0 })
    expect(merged.hint).toContain('/rooms?room=')
  })
})
