import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MarkingBit } from '../../../moq/media/index.ts'
import { REFUSED } from '../keys/index.ts'
import { KeyFrameGate } from './key-frame-gate.ts'
import { isBaseLayer, startsKeyFrame } from './marking.ts'
import {
  anyFate,
  arrivals,
  type Fate,
  type GroupPlan,
  groups,
  type ModelObject,
  publish,
  quietFate,
} from './test-support.ts'

const layers = fc.constantFrom(0 as const, 1 as const, 2 as const, 3 as const)

/** A subscriber behind a gate: base frames are sent before enhancement, and what waits may be lost. */
class Subscriber {
  readonly gate = new KeyFrameGate()
  readonly received = new Set<ModelObject>()
  private base: ModelObject[] = []
  private enhancement: ModelObject[] = []

  offer(object: ModelObject): void {
    if (this.gate.decide(object) === 'forward') {
      if (object.subgroup === 0) this.base.push(object)
      else this.enhancement.push(object)
    }
    for (let i = 0; i < object.fate.sends; i++) this.send()
  }

  sendAll(): void {
    while (this.base.length + this.enhancement.length > 0) this.send()
  }

  private send(): void {
    const object = this.base.shift() ?? this.enhancement.shift()
    if (!object) return
    if (object.fate.lostBehind) {
      if (object.subgroup === 0) this.giveUp(object.group)
      else this.gate.lost(object)
    } else if (object.subgroup < 0 && !this.gate.isUseful(object)) this.gate.lost(object)
    else this.receive(object)
  }

  /** The stream is reset: what waits on it goes too. */
  private giveUp(group: number): void {
    this.base = this.base.filter((object) => object.group !== group)
    this.gate.subgroupLost(group, 0)
  }

  private receive(object: ModelObject): void {
    for (const { objects } of object.frame.references) {
      const missing = objects.filter((needed) => !this.received.has(needed))
      if (missing.length > 0) throw new Error(`${name(object)} without ${missing.map(name)}`)
    }
    this.received.add(object)
  }
}

function name({ group, object }: ModelObject): string {
  return `${group}/${object}`
}

function deliver(subscriber: Subscriber, published: readonly ModelObject[]): void {
  for (const object of arrivals(published)) subscriber.offer(object)
}

const wholeFrame: Fate = {
  fragments: 1,
  omitted: false,
  lost: 0,
  delay: 0,
  lostBehind: false,
  sends: 4,
  trouble: false,
}

function plan(frames: number, change: Partial<GroupPlan> & { fate?: Partial<Fate> } = {}) {
  const { fate, newKey = false } = change
  return { fates: Array.from({ length: frames }, () => ({ ...wholeFrame, ...fate })), newKey }
}

/** Object of a layer in a group; `nth` of them. */
function pick(published: ModelObject[], group: number, nth: number, base = true): ModelObject {
  const of = published.filter((o) => o.group === group && isBaseLayer(o.marking) === base)
  return of[nth]!
}

describe('the key-frame gate', () => {
  it('never lets a subscriber have a frame without those that it is decoded from', () => {
    fc.assert(
      fc.property(groups(anyFate), layers, fc.nat(8), (plans, layers, joinsAt) => {
        const subscriber = new Subscriber()
        const order = arrivals(publish(plans, layers))
        for (const object of order.slice(joinsAt)) subscriber.offer(object)
        subscriber.sendAll()
      }),
      { numRuns: 3000 },
    )
  })

  it('lets everything pass from the first key frame on, when nothing is lost', () => {
    fc.assert(
      fc.property(groups(quietFate), layers, fc.nat(12), (plans, layers, joinsAt) => {
        const subscriber = new Subscriber()
        const rest = publish(plans, layers).slice(joinsAt)
        deliver(subscriber, rest)
        subscriber.sendAll()
        const key = rest.findIndex(({ marking }) => startsKeyFrame(marking))
        const expected = key < 0 ? [] : rest.slice(key)
        expect([...subscriber.received].map(name)).toEqual(expected.map(name))
      }),
      { numRuns: 1000 },
    )
  })

  it('opens at the next whole group, whatever happened before', () => {
    fc.assert(
      fc.property(groups(anyFate), layers, (plans, layers) => {
        const subscriber = new Subscriber()
        const published = publish([...plans, plan(12)], layers)
        const last = published.filter(({ group }) => group === plans.length)
        deliver(subscriber, published.slice(0, -last.length))
        subscriber.sendAll()
        deliver(subscriber, last)
        subscriber.sendAll()
        expect(last.every((object) => subscriber.received.has(object))).toBe(true)
      }),
      { numRuns: 500 },
    )
  })

  it('asks for a key frame where only that helps, and not for what came too early or too late', () => {
    const published = publish([plan(8), plan(8)], 3)
    const gate = new KeyFrameGate()
    expect(gate.isOpen).toBe(false)
    expect(gate.decide(pick(published, 0, 1))).toBe('key-frame')
    expect(gate.decide(pick(published, 0, 0, false))).toBe('base')
    expect(gate.decide(pick(published, 1, 0))).toBe('forward')
    expect(gate.isOpen).toBe(true)
    // The datagram overtook its base frame.
    expect(gate.decide(pick(published, 1, 3, false))).toBe('base')
    expect(gate.decide(pick(published, 0, 0))).toBe('late')
    expect(gate.decide(pick(published, 0, 1))).toBe('late')
    expect(gate.decide(pick(published, 1, 1))).toBe('forward')
    // A datagram that the base frame overtook: it still builds on what is there.
    expect(gate.decide(pick(published, 1, 0, false))).toBe('forward')
  })

  it('drops an enhancement frame whose reference is missing, and no other', () => {
    const published = publish([plan(8)], 3)
    const gate = new KeyFrameGate()
    const verdicts = published.filter((_, at) => at !== 2).map((object) => gate.decide(object))
    expect(verdicts).toEqual([
      'forward',
      'forward',
      'reference',
      'forward',
      'forward',
      'forward',
      'forward',
    ])
  })

  it('builds no frame on one that is not whole, not below it, or came out of order', () => {
    const open = (published: ModelObject[], ...ids: number[]) => {
      const gate = new KeyFrameGate()
      for (const id of ids) expect(gate.decide(published[id]!)).toBe('forward')
      return gate
    }
    // 0: base; 1, 2: top layer; 3, 4: middle layer; 5, 6: top layer on the middle one.
    const two = publish([plan(4, { fate: { fragments: 2 } })], 3).slice(1)
    const objects = two.map((object, at) => ({ ...object, object: at }))
    objects[0] = { ...publish([plan(1)], 3)[0]!, object: 0 }
    expect(open(objects, 0, 1, 2, 3, 4, 5, 6).isOpen).toBe(true)
    expect(open(objects, 0, 3, 4, 1, 2).decide(objects[5]!)).toBe('forward')
    expect(open(objects, 0, 4, 3).decide(objects[5]!)).toBe('reference')
    expect(open(objects, 0, 3).decide({ ...objects[5]!, object: 4 })).toBe('reference')
    expect(open(objects, 0, 1, 2).decide({ ...objects[5]!, object: 3 })).toBe('reference')
    expect(open(objects, 0, 3, 4, 5).decide(objects[6]!)).toBe('forward')
    expect(open(objects, 0, 3, 4).decide(objects[6]!)).toBe('reference')
  })

  it('builds nothing on a frame that was forwarded and lost, also when it waits already', () => {
    const published = publish([plan(8)], 3)
    const gate = new KeyFrameGate()
    for (const object of published.slice(0, 4)) gate.decide(object)
    expect(gate.isUseful(published[3]!)).toBe(true)
    expect(gate.lost(published[2]!)).toBe(false)
    expect(gate.isUseful(published[3]!)).toBe(false)
    expect(gate.isUseful(published[1]!)).toBe(true)
    for (const object of published.slice(4, 7)) expect(gate.decide(object)).toBe('forward')
    expect(gate.isUseful(published[5]!)).toBe(true)
    gate.lost(published[6]!)
    expect(gate.decide(published[7]!)).toBe('reference')
    expect(gate.lost(published[4]!)).toBe(true)
    expect(gate.isOpen).toBe(false)
  })

  it('takes datagrams that one base frame overtook, and no later ones', () => {
    const published = publish([plan(12)], 3)
    const gate = new KeyFrameGate()
    for (const id of [0, 1, 4]) gate.decide(published[id]!)
    expect(gate.decide(published[2]!)).toBe('forward')
    gate.lost(published[2]!)
    expect(gate.decide(published[3]!)).toBe('reference')
    gate.decide(published[8]!)
    expect(gate.decide(published[2]!)).toBe('late')
    expect(gate.decide(published[5]!)).toBe('forward')
  })

  it('remembers what was lost of each of two base periods', () => {
    const published = publish([plan(8)], 3)
    const gate = new KeyFrameGate()
    for (const id of [0, 1, 2, 4, 5, 6, 3, 7]) gate.decide(published[id]!)
    gate.lost(published[2]!)
    gate.lost(published[5]!)
    expect([3, 6, 7].map((id) => gate.isUseful(published[id]!))).toEqual([false, true, true])
  })

  it('opens anew at a key frame within a group, whatever was lost before that', () => {
    const published = publish([plan(8)], 3)
    const gate = new KeyFrameGate()
    for (const object of published.slice(0, 4)) gate.decide(object)
    gate.subgroupLost(0, 0)
    const key = { ...published[4]!, marking: published[4]!.marking | MarkingBit.INDEPENDENT }
    expect(gate.decide(key)).toBe('forward')
    expect(gate.lost(published[0]!)).toBe(false)
    expect(gate.isOpen).toBe(true)
    // It names a base frame from before the key frame.
    expect(gate.decide(published[1]!)).toBe('late')
    expect(gate.decide(published[5]!)).toBe('forward')
  })

  it('keeps the base layer alone when no enhancement comes', () => {
    const published = publish([plan(40)], 3).filter(({ marking }) => isBaseLayer(marking))
    const gate = new KeyFrameGate()
    expect(published.every((object) => gate.decide(object) === 'forward')).toBe(true)
  })

  it('closes with a base frame that did not come, until the next key frame', () => {
    const published = publish([plan(12), plan(4)], 3)
    const gate = new KeyFrameGate()
    gate.decide(pick(published, 0, 0))
    expect(gate.decide(pick(published, 0, 2))).toBe('key-frame')
    expect(gate.isOpen).toBe(false)
    expect(gate.decide(pick(published, 0, 8, false))).toBe('base')
    expect(gate.decide(pick(published, 1, 0))).toBe('forward')
    expect(gate.isOpen).toBe(true)
  })

  it('closes when the base stream is given up, and not for one of a group that is over', () => {
    const published = publish([plan(4), plan(4)], 2)
    const gate = new KeyFrameGate()
    gate.decide(pick(published, 0, 0))
    gate.decide(pick(published, 1, 0))
    expect(gate.subgroupLost(0, 0)).toBe(false)
    expect(gate.isOpen).toBe(true)
    expect(gate.subgroupLost(1, 1)).toBe(false)
    expect(gate.isOpen).toBe(true)
    expect(gate.subgroupLost(1, 0)).toBe(true)
    expect(gate.decide(pick(published, 1, 1))).toBe('key-frame')
    expect(gate.subgroupLost(9, 0)).toBe(false)
  })

  it('lets the group of an old key flow on beside the key frame of a new one', () => {
    const published = publish([plan(8), plan(4, { newKey: true })], 3)
    const [old, fresh] = [0, 1].map((id) => published.filter(({ group }) => group === id))
    const gate = new KeyFrameGate()
    for (const object of old!.slice(0, 4)) expect(gate.decide(object)).toBe('forward')
    expect(gate.decide(fresh![1]!)).toBe('base')
    expect(gate.decide(old![4]!)).toBe('forward')
    expect(gate.decide(fresh![0]!)).toBe('forward')
    expect(gate.decide(old![5]!)).toBe('forward')
    expect(gate.isOpen).toBe(true)
    expect(gate.group).toBe(1)
  })

  it('closes when the key changes or its counters are in trouble within a group', () => {
    const published = publish([plan(12), plan(4)], 3)
    const gate = new KeyFrameGate()
    for (const object of published.slice(0, 4)) gate.decide(object)
    const renewed = published.map((object) => ({ ...object, generation: 2 }))
    expect(gate.decide({ ...published[4]!, generation: REFUSED })).toBe('keys')
    expect(gate.isOpen).toBe(true)
    expect(gate.decide(renewed[5]!)).toBe('base')
    expect(gate.isOpen).toBe(false)
    expect(gate.decide(renewed[8]!)).toBe('key-frame')
    expect(gate.decide(pick(published, 1, 0))).toBe('late')
    expect(gate.decide(pick(renewed, 1, 0))).toBe('forward')
  })

  it('is closed again by a switch to another rendition', () => {
    const published = publish([plan(8), plan(4)], 3)
    const gate = new KeyFrameGate()
    for (const object of published.slice(0, 4)) gate.decide(object)
    gate.close()
    expect(gate.isOpen).toBe(false)
    expect(gate.isUseful(published[3]!)).toBe(false)
    expect(gate.decide(published[4]!)).toBe('key-frame')
    expect(gate.decide(pick(published, 1, 0))).toBe('forward')
  })

  it('takes the first object of a group for its key frame where nothing is marked', () => {
    const bare = { subgroup: 0, generation: 1 }
    const { marking: key } = publish([plan(1)], 0)[0]!
    const { marking: delta } = publish([plan(2)], 0)[1]!
    const gate = new KeyFrameGate()
    expect(gate.decide({ ...bare, group: 3, object: 1, marking: delta })).toBe('key-frame')
    expect(gate.decide({ ...bare, group: 4, object: 0, marking: key })).toBe('forward')
    expect(gate.decide({ ...bare, group: 4, object: 1, marking: delta })).toBe('forward')
    expect(gate.decide({ ...bare, group: 4, object: 3, marking: delta })).toBe('key-frame')
    expect(gate.dump()).toEqual({ open: false, group: 4, generation: 1 })
  })
})
