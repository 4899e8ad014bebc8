import { describe, expect, it } from 'vitest'
import { Seating } from './seating.ts'

const all = [...'abcdef']

describe('places on the stage', () => {
  it('are kept while others come and go', () => {
    const seating = new Seating()
    expect(seating.seat([...'bac'], 9)).toEqual([...'bac'])
    expect(seating.seat([...'abc'], 9)).toEqual([...'bac'])
    expect(seating.seat([...'acd'], 9)).toEqual([...'acd'])
    expect(seating.seat([...'abcd'], 9)).toEqual([...'acdb'])
  })

  it('change for nobody who speaks and has one', () => {
    const seating = new Seating()
    seating.seat(all, 4)
    expect(seating.seat(all, 4, [...'dc'], new Set('d'))).toEqual([...'abcd'])
  })

  it('go to who speaks out of sight, from who was quiet for longest, and nobody else moves', () => {
    const seating = new Seating()
    seating.seat(all, 4)
    const now = seating.seat(all, 4, [...'fbad'], new Set('f'), new Set('a'))
    expect(now).toEqual([...'abfd'])
    // Who lost the place stands where the other was.
    expect(seating.seat(all, 6)).toEqual([...'abfdec'])
  })

  it('are not taken from who keeps one in any case, nor from who speaks', () => {
    const seating = new Seating()
    seating.seat(all, 2)
    expect(seating.seat(all, 2, [...'cb'], new Set('cb'), new Set('a'))).toEqual([...'ab'])
  })

  it('wait for who stands elsewhere for a while', () => {
    const seating = new Seating()
    seating.seat([...'abc'], 9)
    expect(seating.seat([...'abc'], 9, [], new Set(), new Set(), 'a')).toEqual([...'bc'])
    expect(seating.seat([...'abcd'], 2, [], new Set(), new Set(), 'b')).toEqual([...'ac'])
    expect(seating.seat([...'abcd'], 9)).toEqual([...'abcd'])
    expect(seating.seat([...'bcd'], 9, [], new Set(), new Set(), 'a')).toEqual([...'bcd'])
  })
})
