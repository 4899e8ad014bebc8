import { describe, expect, it } from 'vitest'
import type { Wish } from '../../../moq/media/receiver-report.ts'
import { ReceiverWishes } from './receiver-wishes.ts'

const WISH: Wish = {
  participant: 'p1',
  source: 'camera',
  width: 640,
  height: 384,
  framerate: 30,
  priority: 128,
  pinned: false,
  hidden: false,
}
const report = (...wishes: Wish[]) => ({ arrivals: null, wishes })

describe('the wishes of a receiver', () => {
  it('make it managed once there are any', () => {
    const wishes = new ReceiverWishes()
    expect(wishes.take({ arrivals: null, wishes: null })).toBe(false)
    expect(wishes.isManaged).toBe(false)
    expect(wishes.take(report())).toBe(true)
    expect(wishes.isManaged).toBe(true)
  })

  it('are told apart by participant and source; what is not named comes last', () => {
    const wishes = new ReceiverWishes()
    wishes.take(report(WISH, { ...WISH, source: 'screen', pinned: true }))
    expect(wishes.of('p1', 'camera')).toEqual(WISH)
    expect(wishes.of('p1', 'screen').pinned).toBe(true)
    expect(wishes.of('p2', 'camera')).toMatchObject({ priority: 255, hidden: false, width: 0 })
  })

  it('say whether they changed; newer ones replace all', () => {
    const wishes = new ReceiverWishes()
    wishes.take(report(WISH))
    expect(wishes.take(report({ ...WISH }))).toBe(false)
    expect(wishes.take(report({ ...WISH, width: 64 }))).toBe(true)
    expect(wishes.take(report({ ...WISH, participant: 'p2' }))).toBe(true)
    expect(wishes.of('p1', 'camera').priority).toBe(255)
    expect(wishes.take(report())).toBe(true)
  })
})
