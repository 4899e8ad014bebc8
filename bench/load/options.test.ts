import { describe, expect, it } from 'vitest'
import { UsageError } from '../scenario.ts'
import { type LoadDefaults, loadOptions, MAX_LINKS } from './options.ts'
import { roomOf, steadyPlan } from './people.ts'

const DEFAULTS: LoadDefaults = {
  publishers: 2,
  subscribers: 3,
  rooms: 1,
  profile: 'mixed',
  renditions: 1,
  managed: false,
  durationS: 20,
}

describe('options of a load', () => {
  it('are the defaults of the scenario where none is given', () => {
    expect(loadOptions({}, DEFAULTS)).toMatchObject({
      target: { url: null },
      publishers: 2,
      durationMs: 20_000,
      impair: null,
      html: null,
    })
  })

  it('are taken as they are written', () => {
    const options = loadOptions(
      { url: 'moqt://a:1/', ops: 'http://a:2/', pid: '9', subscribers: '0', impair: 'rate=1m' },
      DEFAULTS,
    )
    expect(options.target).toMatchObject({ url: 'moqt://a:1/', ops: 'http://a:2', pid: 9 })
    expect(options).toMatchObject({ subscribers: 0, impair: { rate: 1_000_000 } })
  })

  it('lets publishers follow the relay where subscribers report to it, unless they are to be steady', () => {
    const follows = (values: Parameters<typeof loadOptions>[0], managed = false) =>
      loadOptions(values, { ...DEFAULTS, managed }).followsFeedback
    expect([follows({}), follows({ managed: true }), follows({}, true)]).toEqual([
      false,
      true,
      true,
    ])
    expect([follows({ plain: true }, true), follows({ steady: true }, true)]).toEqual([
      false,
      false,
    ])
  })

  it('has a group where the scenario or the command line wants one', () => {
    const churns: LoadDefaults = { ...DEFAULTS, mls: 'classical' }
    expect(loadOptions({}, DEFAULTS).mls).toBeNull()
    expect(loadOptions({ mls: 'x-wing' }, DEFAULTS).mls).toBe('x-wing')
    expect(loadOptions({}, churns).mls).toBe('classical')
    expect(loadOptions({ mls: 'none' }, churns).mls).toBeNull()
  })

  it.each([
    [{ 'relay-workers': '65' }, '--relay-workers 65 is not a whole number from 1 to 64'],
    [
      { url: 'moqt://a', 'relay-workers': '2' },
      '--relay-workers is for a relay that is started here',
    ],
    [
      { impair: 'rate=1m', 'relay-workers': '2' },
      '--relay-workers and --impair exclude each other',
    ],
    [{ publishers: '0' }, '--publishers 0 is not a whole number from 1'],
    [{ subscribers: '1.5' }, '--subscribers 1.5 is not'],
    [{ renditions: '4' }, '--renditions 4 is more than 3'],
    [{ profile: 'tv' }, 'unknown profile tv; there is: audio, video, screen, mixed'],
    [{ impair: 'speed=1' }, '--impair: speed is none of rate'],
    [{ pid: '1' }, '--pid is of no use without --url'],
    [
      { url: 'moqt://a:1/', 'profile-relay': 'x' },
      '--profile-relay is for a relay that is started',
    ],
    [{ managed: true, plain: true }, 'exclude each other'],
    [{ mls: 'rot13' }, 'unknown suite rot13; there is: x-wing, classical, p256, none'],
  ])('%j is refused in one sentence', (values, reason) => {
    expect(() => loadOptions(values, DEFAULTS)).toThrow(UsageError)
    expect(() => loadOptions(values, DEFAULTS)).toThrow(reason)
  })
})

describe('a plan', () => {
  it('of a meeting has everybody watch everybody else, and subscribers watch all', () => {
    const people = roomOf('r', loadOptions({}, DEFAULTS), true)
    expect(people.map(({ watches }) => watches.map(({ participant }) => participant))).toEqual([
      ['p1'],
      ['p0'],
      ['p0', 'p1'],
      ['p0', 'p1'],
      ['p0', 'p1'],
    ])
    expect(new Set(people.map(({ leaf }) => leaf)).size).toBe(5)
    expect(people[0]!.publishes.map(({ name }) => name)).toContain('screen')
    expect(people[1]!.publishes.map(({ name }) => name)).not.toContain('screen')
  })

  it('puts each who watches behind a network of their own', () => {
    const options = loadOptions({ impair: 'rate=1m,delay=20' }, DEFAULTS)
    const plan = steadyPlan('x', roomOf('r', options, false), options)
    expect(plan.participants.map(({ link }) => link)).toEqual([null, null, 0, 1, 2])
    expect(plan.links[0]).toMatchObject({
      down: { rate: 1_000_000, delayMs: 20 },
      up: { delayMs: 20 },
    })
    expect(plan.warmupMs).toBeGreaterThan(plan.participants.at(-1)!.joinAtMs)
  })

  it('is refused where it would take too many networks, or too large a room', () => {
    const many = loadOptions({ impair: 'loss=0.1', subscribers: String(MAX_LINKS + 1) }, DEFAULTS)
    expect(() => steadyPlan('x', roomOf('r', many, false), many)).toThrow(UsageError)
    const crowd = loadOptions({ subscribers: '5000' }, DEFAULTS)
    expect(() => roomOf('r', crowd, false)).toThrow(UsageError)
  })
})
