import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RepairPlanner, type RepairSettings } from './repair-planner.ts'

const RTT = 40

function plannerWith(settings: Partial<RepairSettings> = {}) {
  return new RepairPlanner(0, { reorderMs: 10, deadlineMs: 150, answerMs: 5, ...settings })
}

/** Objects of group 3, the first at time 0. */
function receive(planner: RepairPlanner, now: number, ...objects: number[]): void {
  for (const object of objects) planner.received(now, 3, object)
}

describe('a repair planner', () => {
  it('asks for a gap once there was time for a late arrival, and once only', () => {
    const planner = plannerWith()
    receive(planner, 0, 0, 1, 4, 5, 7)
    expect(planner.nextAt).toBe(10)
    expect(planner.poll(9, RTT)).toEqual([])
    expect(planner.poll(10, RTT)).toEqual([
      { group: 3, first: 2, last: 3 },
      { group: 3, first: 6, last: 6 },
    ])
    expect(planner.nextAt).toBeNull()
    expect(planner.poll(50, RTT)).toEqual([])
  })

  it('does not ask for what comes late', () => {
    const planner = plannerWith()
    receive(planner, 0, 0, 2)
    receive(planner, 5, 1)
    expect(planner.poll(20, RTT)).toEqual([])
    expect(planner.counters).toMatchObject({ late: 1, asked: 0 })
  })

  it('removes duplicates, of what was repaired and then came too as well', () => {
    const planner = plannerWith()
    receive(planner, 0, 0, 2)
    planner.poll(10, RTT)
    expect(planner.received(60, 3, 1)).toBe(true)
    expect(planner.received(61, 3, 1)).toBe(false)
    expect(planner.received(62, 3, 2)).toBe(false)
    expect(planner.counters).toMatchObject({ repaired: 1, duplicates: 2 })
  })

  it('asks for nothing that cannot come before its deadline', () => {
    const planner = plannerWith()
    receive(planner, 0, 0, 2)
    expect(planner.poll(10, 136)).toEqual([])
    expect(planner.counters.hopeless).toBe(1)
    receive(planner, 20, 4)
    expect(planner.poll(30, 135)).toHaveLength(1)
  })

  it('knows the later fragments of a frame from the first', () => {
    const planner = plannerWith()
    planner.received(0, 3, 0)
    planner.received(1, 3, 1, { behind: 2 })
    planner.received(2, 3, 2, { ahead: 1, behind: 1 })
    expect(planner.poll(12, RTT)).toEqual([{ group: 3, first: 3, last: 3 }])
  })

  it('misses the beginning of a group, but not of the first one that it sees', () => {
    const planner = plannerWith()
    planner.received(0, 3, 40)
    planner.received(0, 4, 2)
    expect(planner.poll(10, RTT)).toEqual([{ group: 4, first: 0, last: 1 }])
  })

  it('still takes what comes of the group before', () => {
    const planner = plannerWith()
    receive(planner, 0, 0, 2)
    planner.received(5, 4, 0)
    expect(planner.poll(10, RTT)).toEqual([{ group: 3, first: 1, last: 1 }])
    expect(planner.received(40, 3, 1)).toBe(true)
    expect(planner.received(41, 3, 1)).toBe(false)
    planner.received(42, 5, 0)
    expect(planner.received(43, 3, 1)).toBe(true)
  })

  it('says how long to wait for what was asked for', () => {
    const planner = plannerWith()
    receive(planner, 0, 0, 2)
    expect(planner.awaitedUntil(3, 1)).toBe(150)
    planner.poll(10, RTT)
    expect(planner.awaitedUntil(3, 1)).toBe(150)
    expect(planner.awaitedUntil(3, 2)).toBeNull()
    expect(planner.awaitedWithin(3, 0, 2)).toBe(150)
    expect(planner.awaitedWithin(3, 2, 9)).toBeNull()
    planner.poll(150, RTT)
    expect(planner.awaitedUntil(3, 1)).toBeNull()
  })

  it('asks for nothing that was left out on purpose, but for the rest of a frame that came in part', () => {
    const planner = plannerWith()
    receive(planner, 0, 0)
    planner.received(1, 3, 5, { ahead: 1, behind: 1, gap: 'left-out' })
    planner.received(2, 3, 7)
    expect(planner.poll(20, RTT)).toEqual([
      { group: 3, first: 4, last: 4 },
      { group: 3, first: 6, last: 6 },
    ])
    expect(planner.counters.missed).toBe(2)
    // Some of it may come nevertheless.
    expect(planner.received(21, 3, 2)).toBe(true)
    expect(planner.received(22, 3, 2)).toBe(false)
  })

  it('waits with an unclear gap until it is told what it is', () => {
    const planner = plannerWith()
    receive(planner, 0, 0)
    planner.received(0, 3, 4, { ahead: 1, gap: 'unclear' })
    expect(planner.poll(10, RTT)).toEqual([{ group: 3, first: 3, last: 3 }])
    planner.received(30, 3, 2)
    expect(planner.poll(40, RTT)).toEqual([{ group: 3, first: 1, last: 1 }])
  })

  it('asks once more for what was not known yet to who was asked', () => {
    const planner = plannerWith()
    planner.received(0, 3, 0, { behind: 1 })
    const [range] = planner.poll(10, RTT)
    planner.postpone(50, range!, 35)
    expect(planner.nextAt).toBe(85)
    expect(planner.poll(84, RTT)).toEqual([])
    expect(planner.poll(85, RTT)).toEqual([range])
    planner.postpone(90, range!, 35)
    expect(planner.nextAt).toBeNull()
    expect(planner.received(120, 3, 1)).toBe(true)
    expect(planner.counters).toMatchObject({ asked: 1, repaired: 1 })
  })

  it('counts what it asked for and did not get in time', () => {
    const planner = plannerWith()
    receive(planner, 0, 0, 2)
    planner.poll(10, RTT)
    planner.poll(150, RTT)
    expect(planner.counters).toMatchObject({ asked: 1, repaired: 0, expired: 1 })
  })

  it('spares a path, or a relay that leaves out layers, where much is missing', () => {
    const planner = plannerWith({ perSecond: 1e6, burst: 1e6 })
    for (let i = 0; i < 400; i++) {
      // Of four objects two are left out on purpose.
      if (i % 4 < 2) receive(planner, i * 10, i)
      planner.poll(i * 10, RTT)
    }
    expect(planner.counters.asked).toBeLessThan(30)
    expect(planner.counters.spared).toBeGreaterThan(150)
  })

  it('asks again once little is missing', () => {
    const planner = plannerWith({ perSecond: 1e6, burst: 1e6 })
    for (let i = 0; i < 800; i++) {
      const comes = i < 400 ? i % 4 < 2 : i % 20 !== 7
      if (comes) receive(planner, i * 10, i)
      planner.poll(i * 10, RTT)
    }
    // Of the 20 that were lost in the second half, all but the first few.
    expect(planner.counters.asked).toBeGreaterThan(30)
  })

  it('limits how much it asks for', () => {
    const planner = plannerWith({ perSecond: 10, burst: 5, mostMissing: 1 })
    for (let i = 0; i < 1000; i += 2) {
      receive(planner, i * 10, i)
      planner.poll(i * 10, RTT)
    }
    expect(planner.counters.asked).toBeLessThanOrEqual(5 + 100)
    expect(planner.counters.asked).toBeGreaterThan(90)
    expect(planner.counters.limited).toBeGreaterThan(300)
  })

  it('asks for each object at most once, in bounded memory, whatever comes', () => {
    const event = fc.record({
      after: fc.integer({ min: 0, max: 30 }),
      group: fc.integer({ min: 0, max: 3 }),
      object: fc.oneof(fc.integer({ min: 0, max: 60 }), fc.maxSafeNat()),
      ahead: fc.integer({ min: 0, max: 63 }),
      behind: fc.integer({ min: 0, max: 63 }),
      gap: fc.constantFrom('missed', 'left-out', 'unclear'),
    })
    fc.assert(
      fc.property(fc.array(event, { maxLength: 200 }), (events) => {
        const planner = plannerWith({ mostMissing: 1 })
        const came = new Set<string>()
        const asked = new Set<string>()
        let now = 0
        for (const { after, group, object: any, ahead, behind, gap } of events) {
          now += after
          // The ids of its frame have to be safe, too.
          const object = Math.min(any, Number.MAX_SAFE_INTEGER - 64)
          planner.received(now, group, object, { ahead, behind, gap })
          came.add(`${group}/${object}`)
          for (const range of planner.poll(now, RTT)) {
            expect(range.last - range.first).toBeLessThan(128)
            for (let id = range.first; id <= range.last; id++) {
              const place = `${range.group}/${id}`
              expect(came.has(place)).toBe(false)
              // A leap of ids begins anew, and what was before is forgotten.
              if (events.every((one) => one.object <= 60)) expect(asked.has(place)).toBe(false)
              asked.add(place)
            }
          }
        }
      }),
    )
  })
})
