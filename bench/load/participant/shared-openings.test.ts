import { describe, expect, it } from 'vitest'
import { MoqObject, ObjectStatus } from '../../../moq/wire/object.ts'
import { SharedOpenings } from './shared-openings.ts'

function objectOf(group: number, object: number, ...body: number[]): MoqObject {
  const bytes = Uint8Array.from(body)
  return new MoqObject(group, 0, object, null, ObjectStatus.NORMAL, false, bytes, 0, 0, 0)
}

const OPENING = { sentAt: 5, media: null }

describe('what one watcher has decrypted', () => {
  it('serves the others of its track, and of no other', () => {
    const shared = new SharedOpenings()
    shared.of('room p0 audio').keep(objectOf(7, 3, 1, 2, 3), OPENING)
    expect(shared.of('room p0 audio').find(objectOf(7, 3, 1, 2, 3))).toBe(OPENING)
    expect(shared.of('room p1 audio').find(objectOf(7, 3, 1, 2, 3))).toBeNull()
    expect(shared.of('room p0 audio').find(objectOf(7, 4, 1, 2, 3))).toBeNull()
    expect(shared.of('room p0 audio').find(objectOf(8, 3, 1, 2, 3))).toBeNull()
  })

  it('says nothing of an object in which any byte differs', () => {
    const openings = new SharedOpenings().of('room p0 audio')
    openings.keep(objectOf(7, 3, 1, 2, 3), OPENING)
    expect(openings.find(objectOf(7, 3, 1, 2, 4))).toBeNull()
    expect(openings.find(objectOf(7, 3, 1, 2))).toBeNull()
  })

  it('keeps bytes of its own: those that it was given may change', () => {
    const openings = new SharedOpenings().of('room p0 audio')
    const first = objectOf(7, 3, 1, 2, 3)
    openings.keep(first, OPENING)
    first.body[0] = 9
    expect(openings.find(objectOf(7, 3, 1, 2, 3))).toBe(OPENING)
  })
})
