import { describe, expect, it } from 'vitest'
import { alarmNames, alarmTexts, alarmTitle } from './alarms.ts'
import { groupNotices } from './group-notices.ts'
import { VerificationHistory } from './history.ts'
import type { VerificationEvent } from './history-event.ts'

const START = Date.UTC(2030, 0, 1)
const GROUP = Uint8Array.of(1)
const OTHER_GROUP = Uint8Array.of(2)

/** Ann's history. */
class World {
  now = START
  epoch = 0
  readonly history = new VerificationHistory({
    participantId: 'ann',
    wallClock: () => this.now,
  })

  /** The next epoch, a minute later. @param members by id, each with its key; Ann is always in it */
  enter(members: Record<string, string>, reason = 'updated', groupId = GROUP): void {
    this.now += 60_000
    const roster = Object.entries({ ann: 'key of ann', ...members })
    this.history.enter({
      groupId,
      epoch: ++this.epoch,
      roster: roster.map(([participantId, fingerprint]) => ({ participantId, fingerprint })),
      reason,
    })
  }

  /** @returns whether there is anything new */
  see(id: string, name: string, ...alarms: (typeof alarmNames)[number][]): boolean {
    return this.history.see([{ id, name, alarmNames: alarms }])
  }

  get events(): readonly VerificationEvent[] {
    return this.history.newestFirst
  }

  /** Kinds, the oldest first. */
  get kinds(): string[] {
    return this.events.map(({ kind, participant }) => `${participant} ${kind}`).reverse()
  }

  get newest(): VerificationEvent {
    return this.events[0]!
  }
}

describe('the history of a group', () => {
  it('tells who came, left and came back, the newest first, with the time and the epoch', () => {
    const world = new World()
    world.enter({}, 'created')
    world.see('bob', 'Bob')
    world.enter({ bob: 'b' }, 'member-joined')
    world.enter({}, 'member-left')
    world.enter({ bob: 'b' }, 'member-joined')
    expect(world.kinds).toEqual(['ann created', 'bob joined', 'bob left', 'bob returned'])
    expect(world.newest).toMatchObject({
      number: 4,
      epoch: 4,
      time: START + 4 * 60_000,
      level: 'info',
      name: 'Bob',
      text: 'Bob came back, with the same key as before. The code changed.',
    })
    expect([world.see('bob', 'Bob'), world.see('bob', 'Bob')]).toEqual([true, false])
  })

  it('asks to compare again when somebody has another key, whether they had left or not', () => {
    const world = new World()
    world.enter({ bob: 'b', cyn: 'c' }, 'joined')
    expect(world.newest.text).toContain('2 others had the keys')
    world.enter({ bob: 'b2', cyn: 'c' }, 'member-joined')
    expect(world.newest).toMatchObject({ kind: 'new-key', participant: 'bob', level: 'check' })
    world.enter({ bob: 'b2' }, 'member-left')
    world.enter({ bob: 'b2', cyn: 'c2' }, 'member-joined')
    expect(world.newest).toMatchObject({ kind: 'new-key', participant: 'cyn', level: 'check' })
  })

  it('makes one entry of renewals, or of one and the same notice, that follow each other', () => {
    const world = new World()
    world.enter({ bob: 'b' }, 'joined')
    for (let i = 0; i < 3; i++) world.enter({ bob: 'b' })
    expect(world.kinds).toEqual(['ann entered', 'ann renewed'])
    expect(world.newest).toMatchObject({ count: 3, epoch: 4, time: START + 4 * 60_000 })
    expect(world.newest.text).toContain('3 times')
    world.enter({}, 'member-left')
    world.enter({})
    expect(world.kinds).toEqual(['ann entered', 'ann renewed', 'bob left', 'ann renewed'])
    for (let i = 0; i < 1000; i++) world.history.notice('malformed')
    world.history.notice('commit-invalid')
    expect(world.events[1]).toMatchObject({ code: 'malformed', count: 1000, number: 5 })
    expect(world.events[1]!.text).toMatch(/1000 times/)
  })

  it('says that the group was made anew, once, and who is in it with the key of before', () => {
    const world = new World()
    world.enter({ bob: 'b', cyn: 'c' }, 'joined')
    world.history.notice('group-replaced')
    expect(world.newest).toMatchObject({ kind: 'notice', code: 'group-replaced', level: 'check' })
    world.enter({ bob: 'b' }, 'joined', OTHER_GROUP)
    world.enter({ bob: 'b', cyn: 'x' }, 'member-joined', OTHER_GROUP)
    expect(world.kinds).toEqual([
      'ann entered',
      'ann notice',
      'ann reentered',
      'bob returned',
      'cyn new-key',
    ])
  })

  it('says of an alarm of our own what exactly was seen, and so who did it', () => {
    const world = new World()
    world.enter({ bob: 'b' }, 'joined')
    world.history.notice('removed', 'removed by bob')
    expect(world.newest.text).toMatch(/took you out .* \(removed by bob\)$/)
    world.history.notice('group-replaced', 'another group')
    expect(world.newest).toMatchObject({ detail: 'another group' })
    expect(world.newest.text).not.toContain('another group')
  })

  it('says so by itself when nobody did', () => {
    const world = new World()
    world.enter({ bob: 'b' }, 'joined')
    world.enter({}, 'created', OTHER_GROUP)
    expect(world.kinds).toEqual(['ann entered', 'ann notice', 'ann reentered'])
    expect(world.events[1]).toMatchObject({ code: 'group-replaced' })
  })

  it('tells of an alarm when it is raised, and when it is over, and of none when its participant left', () => {
    const world = new World()
    world.enter({ bob: 'b', eve: 'e' }, 'joined')
    world.see('eve', 'Eve')
    expect(world.see('eve', 'Eve', 'ghost')).toBe(true)
    expect(world.see('eve', 'Eve', 'ghost')).toBe(false)
    expect(world.newest).toMatchObject({ kind: 'alarm', level: 'alarm', code: 'ghost' })
    expect(world.newest.text).toBe(`Eve: ${alarmTexts.ghost}`)
    world.see('eve', 'Eve')
    expect(world.newest.text).toBe('Eve: this alarm is over: Ghost member.')
    world.see('eve', 'Eve', 'fork')
    world.history.see([])
    world.see('eve', 'Eve')
    expect(world.kinds.slice(1)).toEqual(['eve alarm', 'eve alarm-over', 'eve alarm'])
  })

  it('gives a name to what it told before it knew it, and keeps that name afterwards', () => {
    const world = new World()
    world.enter({}, 'created')
    world.enter({ bob: 'b' }, 'member-joined')
    expect(world.newest.text).toMatch(/^Somebody without a name yet joined/)
    world.see('bob', 'Bob')
    expect(world.newest).toMatchObject({ name: 'Bob', number: 2 })
    expect(world.newest.text).toMatch(/^Bob joined/)
    world.see('bob', 'Robert')
    expect(world.newest.name).toBe('Bob')
  })

  it('is bounded: what was as it should be goes first', () => {
    const world = new World()
    world.enter({ bob: 'b' }, 'joined')
    world.history.notice('skip-refused')
    for (let i = 0; i < 300; i++) world.enter(i % 2 === 0 ? {} : { bob: 'b' }, 'member-left')
    expect(world.events).toHaveLength(200)
    expect(world.events.at(-1)).toMatchObject({ code: 'skip-refused', number: 2 })
    expect(world.newest.number).toBe(302)
    const codes = ['malformed', 'commit-invalid'] as const
    for (let i = 0; i < 300; i++) world.history.notice(codes[i % 2]!)
    expect(world.events).toHaveLength(200)
    expect(world.newest.number).toBe(602)
  })

  it('forgets keys of the longest gone, when there were too many', () => {
    const world = new World()
    world.enter({ bob: 'b' }, 'joined')
    for (let i = 0; i < 1100; i++) world.enter({ [`stranger ${i}`]: 'key' })
    world.enter({ bob: 'b', 'stranger 1099': 'key' })
    expect(world.newest).toMatchObject({ participant: 'bob', kind: 'joined' })
  })
})

describe('alarms and notices', () => {
  it('each say in sentences what happened and what to do', () => {
    for (const name of alarmNames) {
      expect(alarmTitle(name)).toMatch(/^[A-Z][a-z ]+$/)
      expect(alarmTexts[name]).toMatch(/(compare|leave|meet|join again)/i)
    }
    const grave = Object.values(groupNotices).filter(({ level }) => level === 'alarm')
    for (const { text } of grave) {
      expect(text).toMatch(/(compare|do not use|meet in|asked for anew|ask who|tell the others)/i)
    }
  })
})
