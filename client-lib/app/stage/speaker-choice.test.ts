import { describe, expect, it } from 'vitest'
import { SpeakerChoice } from './speaker-choice.ts'

function people(speaking: string, ids = 'abc') {
  return [...ids].map((id) => ({ id, local: id === 'a', speaking: speaking.includes(id) }))
}

describe('whose picture is large', () => {
  it('is of whoever speaks, or spoke last, or came first; ours only when we are alone', () => {
    expect(new SpeakerChoice().follow(people('c'), ['c', 'b'], 0)).toBe('c')
    expect(new SpeakerChoice().follow(people(''), ['a', 'c', 'b'], 0)).toBe('c')
    expect(new SpeakerChoice().follow(people(''), [], 0)).toBe('b')
    expect(new SpeakerChoice().follow(people('a', 'a'), ['a'], 0)).toBe('a')
    expect(new SpeakerChoice().follow([], [], 0)).toBeNull()
  })

  it('changes when another speaks for a while and the one that is shown does not', () => {
    const choice = new SpeakerChoice()
    choice.follow(people('b'), ['b'], 0)
    expect(choice.follow(people('c'), ['c', 'b'], 1000)).toBe('b')
    expect(choice.follow(people('c'), ['c', 'b'], 2400)).toBe('b')
    expect(choice.follow(people('c'), ['c', 'b'], 2500)).toBe('c')
  })

  it('does not change for a cough, for two at once, for silence, nor for ourselves', () => {
    const choice = new SpeakerChoice()
    choice.follow(people('b'), ['b'], 0)
    choice.follow(people('c'), ['c', 'b'], 1000)
    choice.follow(people(''), ['c', 'b'], 1500)
    expect(choice.follow(people('c'), ['c', 'b'], 2600)).toBe('b')
    expect(choice.follow(people('bc'), ['c', 'b'], 9000)).toBe('b')
    expect(choice.follow(people(''), ['c', 'b'], 19_000)).toBe('b')
    choice.follow(people('a'), ['a', 'b'], 20_000)
    expect(choice.follow(people('a'), ['a', 'b'], 29_000)).toBe('b')
  })

  it('changes at once when the one that is shown leaves', () => {
    const choice = new SpeakerChoice()
    choice.follow(people('b'), ['b'], 0)
    expect(choice.follow(people('', 'ac'), ['c'], 1)).toBe('c')
  })
})
