import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FetchObjectWriter } from './fetch.ts'
import { subgroupBodyOf } from './fetch-body.ts'
import { FetchParser } from './fetch-parser.ts'
import type { MoqObject } from './object.ts'
import { encodeProperties } from './properties.ts'
import { SubgroupParser } from './subgroup-parser.ts'

const PROPERTIES = encodeProperties([{ type: 0x11, value: Uint8Array.of(1, 2) }])
const NONE = new Uint8Array(0)

function fetched(properties: Uint8Array, payload: Uint8Array): MoqObject {
  const objects: MoqObject[] = []
  const parser = new FetchParser('ascending', 10_000, {
    onObject: (object) => objects.push(object),
    onRangeEnd() {},
  })
  const writer = new FetchObjectWriter('ascending', 1)
  parser.feed(writer.object({ group: 1, object: 2, subgroup: 0, priority: 3, properties, payload }))
  return objects[0]!
}

/** What a subscriber reads of a subgroup stream that has the body. */
function received(body: Uint8Array, hasProperties: boolean): MoqObject {
  const objects: MoqObject[] = []
  const base = { trackAlias: 1, group: 1, subgroup: 0, priority: 3 }
  const header = { ...base, hasProperties, endOfGroup: false, firstObject: false }
  const parser = new SubgroupParser(header, 10_000, (object) => objects.push(object))
  parser.feed(Uint8Array.of(2, ...body))
  parser.finish()
  expect(objects).toHaveLength(1)
  return objects[0]!
}

describe('a fetched object that goes out on a subgroup stream (section 11.4.2)', () => {
  it('reads as it was, with or without properties and payload', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (payload, withProperties) => {
        const properties = withProperties ? PROPERTIES : NONE
        const object = received(subgroupBodyOf(fetched(properties, payload)), true)
        expect([...object.payload]).toEqual([...payload])
        expect([...object.properties]).toEqual([...properties])
        expect(object.status).toBe(0)
      }),
    )
  })

  it('goes where objects have no properties, if it has none', () => {
    for (const payload of [NONE, Uint8Array.of(1, 2, 3)]) {
      const object = received(subgroupBodyOf(fetched(NONE, payload), false), false)
      expect([...object.payload]).toEqual([...payload])
    }
    expect(() => subgroupBodyOf(fetched(PROPERTIES, NONE), false)).toThrow(RangeError)
  })

  it('keeps its own bytes where the forms agree', () => {
    const one = fetched(PROPERTIES, Uint8Array.of(1))
    expect(subgroupBodyOf(one)).toBe(one.body)
    const other = fetched(NONE, Uint8Array.of(1))
    expect(subgroupBodyOf(other, false)).toBe(other.body)
  })
})
