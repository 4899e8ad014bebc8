import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatTrack, hasPrefix, namespaceOf, trackOf } from '../../moq/wire/names.ts'
import { headOf, namespaceText, SortedNames } from './sorted-names.ts'

const field = fc.constantFrom('a', 'b', 'ab', 'a-', '.', '-', 'z', '0', 'é')
const namespace = fc.array(field, { maxLength: 3 }).map((fields) => namespaceOf(...fields))

describe('names in order', () => {
  it('are found by prefix, namespaces and tracks alike, as the fields say (section 2.4.1)', () => {
    const property = fc.property(
      fc.array(namespace, { maxLength: 30 }),
      fc.array(fc.tuple(namespace, fc.constantFrom('', 'x', '-', 'a')), { maxLength: 30 }),
      namespace,
      (namespaces, tracks, prefix) => {
        const expected = new Set<string>()
        const names = new SortedNames<string>()
        const all = new Map([
          ...namespaces.map((one) => [namespaceText(one), one] as const),
          ...tracks.map(([of, name]) => [formatTrack(trackOf(of, name)), of] as const),
        ])
        for (const [name, of] of all) {
          names.add(name, name)
          if (hasPrefix(of, prefix)) expected.add(name)
        }
        expect(names.list(headOf(prefix))).toEqual([...expected].toSorted(ascending))
      },
    )
    fc.assert(property)
  })

  it('are as many as were added and not deleted, in long lists too', () => {
    const names = new SortedNames<number>()
    const known = new Map<string, number>()
    for (let i = 0; i < 5000; i++) {
      const name = `${(i * 7919) % 5000}`
      names.add(name, i)
      known.set(name, i)
    }
    for (let i = 0; i < 5000; i++) {
      if (i % 3 === 0) continue
      names.delete(`${i}`)
      names.delete(`${i}`)
      known.delete(`${i}`)
    }
    const sorted = [...known].toSorted(([a], [b]) => ascending(a, b))
    expect(names.list('')).toEqual(sorted.map(([, value]) => value))
    expect(names.list('12')).toEqual(
      sorted.filter(([name]) => name.startsWith('12')).map(([, value]) => value),
    )
  })

  it('are gone through while others come and go', () => {
    const names = new SortedNames<string>()
    for (const name of ['b', 'd', 'f']) names.add(name, name)
    expect(names.next('', null)?.value).toBe('b')
    names.delete('b')
    names.add('a', 'a')
    names.add('c', 'c')
    expect(names.next('', 'b')?.value).toBe('c')
    names.delete('d')
    names.delete('f')
    expect(names.next('', 'c')).toBeNull()
    names.delete('c')
    names.delete('a')
    expect(names.next('', null)).toBeNull()
  })
})

function ascending(a: string, b: string): number {
  return a < b ? -1 : 1
}
