import { describe, expect, it } from 'vitest'
import { participantNamespace, relayNamespace, roomNamespace } from '../../moq/media/index.ts'
import { namespaceOf } from '../../moq/wire/names.ts'
import { digestOf, placeOfDigest, placeOfNamespace, placeOfRoom } from './place.ts'

const rooms = Array.from({ length: 3000 }, (_, index) => `room ${index}`)

describe('the place of a room', () => {
  it('is the same wherever and by whatever of the room it is asked', () => {
    for (const room of rooms.slice(0, 50)) {
      const place = placeOfRoom(room, 5)
      expect(placeOfDigest(digestOf(room), 5)).toBe(place)
      for (const namespace of [
        roomNamespace(room),
        participantNamespace(room, 'ann'),
        relayNamespace(room),
        namespaceOf('sotto', room, '.mls'),
      ]) {
        expect(placeOfNamespace(namespace, 5)).toBe(place)
      }
    }
  })

  it('is each of them about as often', () => {
    const counts = [0, 0, 0, 0]
    for (const room of rooms) counts[placeOfRoom(room, 4)]!++
    for (const count of counts) expect(Math.abs(count - 750)).toBeLessThan(100)
  })

  it('changes only for the rooms of a process that comes or goes', () => {
    for (const room of rooms) {
      const place = placeOfRoom(room, 5)
      if (place !== 4) expect(placeOfRoom(room, 4)).toBe(place)
    }
    expect(rooms.every((room) => placeOfRoom(room, 1) === 0)).toBe(true)
  })

  it('of what is no call goes by the first field, and what is too short is everywhere', () => {
    const live = placeOfNamespace(namespaceOf('live'), 4)
    for (const name of ['one', 'two', 'three', 'four']) {
      expect(placeOfNamespace(namespaceOf('live', name), 4)).toBe(live)
    }
    expect(placeOfNamespace([], 4)).toBeNull()
    expect(placeOfNamespace(namespaceOf('sotto'), 4)).toBeNull()
  })
})
