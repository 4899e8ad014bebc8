import { describe, expect, it } from 'vitest'
import { Departures } from './departures.ts'

const GRACE = 10_000

function group(...members: string[]): Departures {
  const departures = new Departures('me', GRACE)
  departures.setRoster(['me', ...members], null, 5, 0)
  return departures
}

describe('a goodbye', () => {
  it('counts at once', () => {
    const departures = group('ann', 'bob')
    departures.sayGoodbye('ann', 5)
    expect(departures.gone(0)).toEqual(['ann'])
  })

  it('says nothing of a leaf that was added after it', () => {
    const departures = group('ann')
    departures.sayGoodbye('ann', 4)
    expect(departures.gone(0)).toEqual([])
  })

  it('is void once the participant took a new leaf', () => {
    const departures = group('ann')
    departures.sayGoodbye('ann', 5)
    departures.setRoster(['me', 'ann'], 'ann', 6, 0)
    departures.sayGoodbye('ann', 5)
    expect(departures.gone(0)).toEqual([])
    departures.sayGoodbye('ann', 6)
    expect(departures.gone(0)).toEqual(['ann'])
  })

  it('may come before the commit that added the participant', () => {
    const departures = group()
    departures.sayGoodbye('ann', 6)
    departures.setRoster(['me', 'ann'], null, 6, 0)
    expect(departures.gone(0)).toEqual(['ann'])
  })

  it('of a participant who was removed is forgotten', () => {
    const departures = group('ann')
    departures.sayGoodbye('ann', 5)
    departures.setRoster(['me'], null, 6, 0)
    departures.setRoster(['me', 'ann'], null, 7, 0)
    expect(departures.gone(0)).toEqual([])
  })
})

describe('absence', () => {
  it('counts after the grace period, for those never seen too', () => {
    const departures = group('ann', 'bob', 'cyn')
    departures.setPresent('ann', true, 100)
    departures.setPresent('bob', true, 100)
    departures.setPresent('bob', false, 2000)
    expect(departures.nextExpiry(2000)).toBe(GRACE - 1900)
    expect(departures.gone(GRACE + 99)).toEqual([])
    expect(departures.gone(GRACE + 100)).toEqual(['cyn'])
    expect(departures.gone(GRACE + 2000)).toEqual(['bob', 'cyn'])
  })

  it('ends by coming back', () => {
    const departures = group('ann')
    departures.setPresent('ann', false, 0)
    departures.setPresent('ann', true, GRACE - 1)
    expect(departures.gone(2 * GRACE)).toEqual([])
    expect(departures.nextExpiry(0)).toBeNull()
  })

  it('does not count while nobody reports presence, and never for oneself', () => {
    const departures = group('ann')
    departures.setRoster(['me', 'ann', 'bob'], null, 6, 0)
    expect(departures.gone(10 * GRACE)).toEqual([])
    departures.setPresent('me', false, 0)
    expect(departures.gone(10 * GRACE)).toEqual(['ann', 'bob'])
  })
})
