import { describe, expect, it } from 'vitest'
import { safetyNumber } from './safety-number.ts'

const ann = { participantId: 'ann', fingerprint: 'A'.repeat(43) }
const bob = { participantId: 'bob', fingerprint: 'B'.repeat(43) }

describe('the safety number of two participants', () => {
  it('is 60 digits, the same whoever asks', async () => {
    const number = await safetyNumber(ann, bob)
    expect(number).toMatch(/^\d{60}$/)
    expect(await safetyNumber(bob, ann)).toBe(number)
  })

  it('is another one when either has another key', async () => {
    const number = await safetyNumber(ann, bob)
    const renewed = { ...bob, fingerprint: 'C'.repeat(43) }
    expect(await safetyNumber(ann, renewed)).not.toBe(number)
  })

  it('is another one for another participant who shows the same key', async () => {
    const number = await safetyNumber(ann, bob)
    expect(await safetyNumber(ann, { ...bob, participantId: 'eve' })).not.toBe(number)
  })

  it('is made of a half each that does not depend on the other', async () => {
    const halves = (number: string) => [number.slice(0, 30), number.slice(30)]
    const cyn = { participantId: 'cyn', fingerprint: 'D'.repeat(43) }
    const [withBob, withCyn] = await Promise.all([safetyNumber(ann, bob), safetyNumber(ann, cyn)])
    expect(halves(withBob).filter((half) => halves(withCyn).includes(half))).toHaveLength(1)
  })
})
