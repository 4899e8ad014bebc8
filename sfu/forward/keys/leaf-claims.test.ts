import { describe, expect, it } from 'vitest'
import { CLAIM_IDLE_MS, LeafClaim, type LeafHolder, RoomLeaves } from './leaf-claims.ts'

function participant(): LeafHolder {
  return { claims: [] }
}

describe('leaf claims', () => {
  it('fix the leaf of a participant for the epoch, and let it change with the next', () => {
    const room = new RoomLeaves()
    const ann = participant()
    const first = room.claim(ann, 4, 2, 0)
    expect(first).toBeInstanceOf(LeafClaim)
    expect(room.claim(ann, 4, 2, 10)).toBe(first)
    expect(room.claim(ann, 4, 3, 10)).toBe('foreign-leaf')
    expect(room.claim(ann, 5, 3, 10)).toBeInstanceOf(LeafClaim)
    // What is under way in the epoch before is still its own.
    expect(room.claim(ann, 4, 2, 10)).toBe(first)
  })

  it('refuse a leaf that another participant has in the same epoch, and only there', () => {
    const room = new RoomLeaves()
    const [ann, bob] = [participant(), participant()]
    room.claim(ann, 4, 2, 0)
    expect(room.claim(bob, 4, 2, 0)).toBe('leaf-conflict')
    expect(room.claim(bob, 5, 2, 0)).toBeInstanceOf(LeafClaim)
  })

  it('give a leaf to who had it in the epoch before, though another claims it first', () => {
    const room = new RoomLeaves()
    const [ann, mallory] = [participant(), participant()]
    room.claim(ann, 4, 2, 0)
    room.claim(mallory, 4, 7, 0)
    const stolen = room.claim(mallory, 5, 2, 1)
    expect(stolen).toBeInstanceOf(LeafClaim)
    expect(room.claim(ann, 5, 2, 2)).toBeInstanceOf(LeafClaim)
    expect((stolen as LeafClaim).lost).toBe(true)
    expect(room.claim(mallory, 5, 2, 3)).toBe('leaf-conflict')
    expect(room.claim(mallory, 5, 7, 4)).toBeInstanceOf(LeafClaim)
  })

  it('prefer a newcomer to a member that leaves its own leaf', () => {
    const room = new RoomLeaves()
    const [newcomer, mallory] = [participant(), participant()]
    room.claim(mallory, 4, 7, 0)
    room.claim(mallory, 5, 3, 1)
    expect(room.claim(newcomer, 5, 3, 2)).toBeInstanceOf(LeafClaim)
    expect(room.claim(mallory, 5, 3, 3)).toBe('leaf-conflict')
  })

  it('hold nobody up once they are idle', () => {
    const room = new RoomLeaves()
    const [ann, bob] = [participant(), participant()]
    room.claim(ann, 1, 2, 0)
    const later = CLAIM_IDLE_MS + 1
    expect(room.claim(ann, 1, 0, later - 1)).toBe('foreign-leaf')
    expect(room.claim(bob, 1, 2, later - 1)).toBe('leaf-conflict')
    expect(room.claim(bob, 1, 2, later)).toBeInstanceOf(LeafClaim)
    expect(room.claim(ann, 1, 0, later)).toBeInstanceOf(LeafClaim)
  })

  it('are forgotten with their participant and bounded in number', () => {
    const room = new RoomLeaves()
    const [ann, bob] = [participant(), participant()]
    for (let epoch = 0; epoch < 1000; epoch++) room.claim(ann, epoch % 256, 2, epoch)
    expect(ann.claims.length).toBeLessThanOrEqual(4)
    expect(room.size).toBe(ann.claims.length)
    room.claim(bob, 7, 9, 1000)
    room.release(ann)
    expect(room.size).toBe(1)
    room.release(bob)
    expect(room.size).toBe(0)
  })
})
