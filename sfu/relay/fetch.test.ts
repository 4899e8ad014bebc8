import { describe, expect, it } from 'vitest'
import { DoneCode, RequestCode, ResetCode } from '../../moq/wire/codes.ts'
import { namespaceOf, trackOf } from '../../moq/wire/names.ts'
import { Fetcher, Origin } from './fetch-test-world.ts'
import { RelayWorld, type RelayWorldOptions } from './test-world.ts'

const alice = namespaceOf('sotto', 'demo', 'alice')
const video = trackOf(alice, 'pictures')

interface SetOptions extends RelayWorldOptions {
  /** Groups that the publisher has from before. */
  readonly before?: readonly (readonly [group: number, objects: number])[]
}

async function set({ before = [], ...options }: SetOptions = {}) {
  const world = new RelayWorld(options)
  const origin = new Origin(world, video)
  for (const [group, objects] of before) {
    for (let object = 0; object < objects; object++) origin.has(group, object)
  }
  const fetcher = new Fetcher(world)
  await world.settle()
  return { world, origin, fetcher, settle: () => world.settle() }
}

/** As `set`, with a live subscription; what is published from now on is cached. */
async function liveSet(options: SetOptions = {}) {
  const all = await set(options)
  const subscription = all.fetcher.subscribe(video)
  await all.settle()
  return { ...all, subscription }
}

async function publish(origin: Origin, settle: () => Promise<void>, groups: [number, number][]) {
  for (const [group, objects] of groups) {
    for (let object = 0; object < objects; object++) origin.publish(group, object)
  }
  await settle()
}

describe('a FETCH of what the relay has', () => {
  it('is served from the cache, without asking the publisher', async () => {
    const { origin, fetcher, settle } = await liveSet()
    await publish(origin, settle, [
      [0, 3],
      [1, 2],
    ])
    const fetched = fetcher.standalone(video, [0, 1], [0, 3])
    await settle()
    expect(fetched.got).toEqual(['0/1', '0/2'])
    expect(fetched.done).toBe(true)
    expect(fetched.ok?.end).toEqual({ group: 0, object: 3 })
    expect(origin.asked).toEqual([])
    expect(fetched.objects[0]).toMatchObject({ subgroup: 0, priority: 40 })
  })

  it('tells the largest object where the range goes beyond it (section 10.13)', async () => {
    const { origin, fetcher, settle } = await liveSet()
    await publish(origin, settle, [[0, 3]])
    const whole = fetcher.standalone(video, [0, 0], [0, 0])
    const far = fetcher.standalone(video, [0, 0], [9, 5])
    await settle()
    for (const fetched of [whole, far]) {
      expect(fetched.got).toEqual(['0/0', '0/1', '0/2'])
      expect(fetched.ok).toMatchObject({ end: { group: 0, object: 3 }, endOfTrack: false })
    }
  })

  it('gives the groups in the order asked for, and objects ascending (section 10.12.3)', async () => {
    const { origin, fetcher, settle } = await liveSet()
    await publish(origin, settle, [
      [0, 2],
      [1, 2],
      [2, 2],
    ])
    // Between groups nothing is known of the end of one: the publisher says.
    const fetched = fetcher.standalone(video, [0, 1], [2, 1], { groupOrder: 'descending' })
    await settle()
    expect(fetched.got).toEqual(['2/0', '1/0', '1/1', '0/1'])
    expect(fetched.done).toBe(true)
  })

  it('joins a subscription: what comes by fetch and by subscription is contiguous', async () => {
    const { world, origin, fetcher, settle } = await liveSet()
    await publish(origin, settle, [
      [3, 2],
      [4, 3],
    ])
    const late = new Fetcher(world)
    await settle()
    const { requestId } = late.subscribe(video, { filter: { kind: 'largest-object' } })
    await settle()
    const current = late.fetch({
      kind: 'relative-joining',
      joiningRequestId: requestId,
      joiningStart: 0,
    })
    origin.publish(4, 3)
    await settle()
    expect(current.got).toEqual(['4/0', '4/1', '4/2'])
    expect(late.received).toEqual(['4/3'])
    const absolute = late.fetch({
      kind: 'absolute-joining',
      joiningRequestId: requestId,
      joiningStart: 3,
    })
    await settle()
    expect(absolute.got).toEqual(['3/0', '3/1', '4/0', '4/1', '4/2'])
    expect(fetcher.received.length).toBe(6)
  })

  it('lets a joining fetch wait for its subscription (section 10.12.2)', async () => {
    const { origin, fetcher, settle } = await set()
    origin.publish(2, 0)
    origin.publish(2, 1)
    const subscription = fetcher.subscribe(video)
    const fetched = fetcher.fetch({
      kind: 'relative-joining',
      joiningRequestId: subscription.requestId,
      joiningStart: 0,
    })
    const missing = fetcher.fetch({
      kind: 'relative-joining',
      joiningRequestId: 998,
      joiningStart: 0,
    })
    await settle()
    expect(missing.code).toBe(RequestCode.INVALID_JOINING_REQUEST_ID)
    expect(fetched.got).toEqual(['2/0', '2/1'])
    expect(origin.asked).toEqual(['2/0-2/1'])
  })

  it('cannot join where nothing is published (section 10.12.2)', async () => {
    const { origin, fetcher, settle, subscription } = await liveSet()
    const fetched = fetcher.fetch({
      kind: 'absolute-joining',
      joiningRequestId: subscription.requestId,
      joiningStart: 0,
    })
    await settle()
    expect(fetched.code).toBe(RequestCode.INVALID_RANGE)
    expect(origin.asked).toEqual([])
  })

  it('refuses a range that begins behind the largest object, or ends before its start', async () => {
    const { origin, fetcher, settle } = await liveSet()
    const empty = fetcher.standalone(video, [0, 0], [1, 0])
    await settle()
    expect(empty.code).toBe(RequestCode.INVALID_RANGE)
    await publish(origin, settle, [[0, 2]])
    const behind = fetcher.standalone(video, [0, 2], [1, 0])
    const backwards = fetcher.standalone(video, [1, 0], [0, 1])
    await settle()
    expect([behind.code, backwards.code]).toEqual([
      RequestCode.INVALID_RANGE,
      RequestCode.INVALID_RANGE,
    ])
  })

  it('refuses to join a subscription with Forward State 0 (section 10.12.2)', async () => {
    const { world, origin, settle } = await liveSet()
    await publish(origin, settle, [[0, 2]])
    const quiet = new Fetcher(world)
    await settle()
    const { requestId } = quiet.subscribe(video, { forward: false })
    await settle()
    const fetched = quiet.fetch({
      kind: 'relative-joining',
      joiningRequestId: requestId,
      joiningStart: 0,
    })
    await settle()
    expect(fetched.code).toBe(RequestCode.INVALID_RANGE)
  })
})

describe('a FETCH of what the relay has in part', () => {
  it('asks the publisher once for each missing range, and keeps what it brings', async () => {
    const { origin, fetcher, settle } = await liveSet({
      before: [
        [0, 3],
        [1, 2],
      ],
    })
    await publish(origin, settle, [[2, 2]])
    const first = fetcher.standalone(video, [0, 1], [2, 2])
    await settle()
    expect(first.got).toEqual(['0/1', '0/2', '1/0', '1/1', '2/0', '2/1'])
    expect(first.done).toBe(true)
    expect(origin.asked).toEqual(['0/1-1/*'])
    const second = fetcher.standalone(video, [0, 0], [2, 2])
    await settle()
    expect(second.got).toEqual(['0/0', ...first.got])
    expect(origin.asked).toEqual(['0/1-1/*', '0/0-0/0'])
  })

  it('fills one missing object in the middle', async () => {
    const { origin, fetcher, settle } = await liveSet()
    origin.publish(0, 0)
    origin.has(0, 1)
    origin.publish(0, 2)
    await settle()
    const fetched = fetcher.standalone(video, [0, 0], [0, 3])
    await settle()
    expect(fetched.got).toEqual(['0/0', '0/1', '0/2'])
    expect(origin.asked).toEqual(['0/1-0/1'])
  })

  it('asks no more about what the publisher said not to exist', async () => {
    const { origin, fetcher, settle } = await liveSet()
    origin.publish(0, 0)
    origin.publish(5, 3)
    await settle()
    const first = fetcher.standalone(video, [0, 0], [5, 4])
    await settle()
    expect(first.got).toEqual(['0/0', '5/3'])
    const again = fetcher.standalone(video, [0, 0], [5, 4], { fillTimeout: 0 })
    await settle()
    expect(again.got).toEqual(['0/0', '5/3'])
    expect(origin.asked).toEqual(['0/1-5/2'])
  })

  it('does not take the end of a live group for its end', async () => {
    const { origin, fetcher, settle } = await liveSet({ before: [[4, 2]] })
    origin.publish(4, 2)
    await settle()
    const fetched = fetcher.standalone(video, [4, 0], [4, 0])
    await settle()
    expect(fetched.got).toEqual(['4/0', '4/1', '4/2'])
    await publish(origin, settle, [[5, 1]])
    origin.publish(5, 1)
    await settle()
    expect(fetcher.received).toEqual(['4/2', '5/0', '5/1'])
  })

  it('still forwards an object to subscribers that a fetch brought first', async () => {
    const { origin, fetcher, settle } = await liveSet({ before: [[0, 1]] })
    origin.publish(0, 5)
    await settle()
    origin.has(0, 3)
    fetcher.standalone(video, [0, 0], [0, 5])
    await settle()
    // A stream of its own, as for an object that comes late.
    origin.publish(0, 6)
    await settle()
    expect(fetcher.received).toEqual(['0/5', '0/6'])
  })

  it('shares one fetch to the publisher among fetches at the same time', async () => {
    const { world, origin, fetcher, settle } = await liveSet({ before: [[0, 3]] })
    await publish(origin, settle, [[1, 1]])
    origin.answering = 'hold'
    const other = new Fetcher(world)
    await settle()
    const first = fetcher.standalone(video, [0, 0], [1, 1])
    await settle()
    const second = other.standalone(video, [0, 1], [1, 1])
    await settle()
    origin.serve(origin.fetches[0]!)
    await settle()
    expect(first.got).toEqual(['0/0', '0/1', '0/2', '1/0'])
    expect(second.got).toEqual(['0/1', '0/2', '1/0'])
    expect([first.done, second.done]).toEqual([true, true])
    expect(origin.asked).toEqual(['0/0-0/*'])
  })

  it('goes on by itself when the fetch that it waited for is cancelled', async () => {
    const { world, origin, fetcher, settle } = await liveSet({ before: [[0, 2]] })
    await publish(origin, settle, [[1, 1]])
    origin.answering = 'hold'
    const other = new Fetcher(world)
    await settle()
    const first = fetcher.standalone(video, [0, 0], [1, 1])
    await settle()
    const second = other.standalone(video, [0, 0], [1, 1])
    await settle()
    first.request.cancel()
    await settle()
    expect(origin.cancelled).toBe(1)
    expect(origin.asked).toEqual(['0/0-0/*', '0/0-0/*'])
    origin.serve(origin.fetches[1]!)
    await settle()
    expect(second.got).toEqual(['0/0', '0/1', '1/0'])
  })
})

describe('what stays unknown', () => {
  it('is told at once with FILL_TIMEOUT 0 (section 10.2.5)', async () => {
    const { origin, fetcher, settle } = await liveSet({ before: [[0, 2]] })
    await publish(origin, settle, [[1, 2]])
    const fetched = fetcher.standalone(video, [0, 0], [1, 2], { fillTimeout: 0 })
    await settle()
    expect(fetched.got).toEqual(['unknown 0/*', '1/0', '1/1'])
    expect(fetched.done).toBe(true)
    expect(origin.asked).toEqual([])
  })

  it('is told when the FILL_TIMEOUT has passed, which counts for all fills together', async () => {
    const { world, origin, fetcher, settle } = await liveSet()
    origin.publish(0, 0)
    origin.has(0, 1)
    origin.publish(0, 2)
    origin.has(0, 3)
    origin.publish(0, 4)
    await settle()
    origin.answering = 'hold'
    const fetched = fetcher.standalone(video, [0, 0], [0, 5], { fillTimeout: 100 })
    await settle()
    world.clock.advance(60)
    origin.serve(origin.fetches[0]!)
    await settle()
    expect(fetched.got).toEqual(['0/0', '0/1', '0/2'])
    world.clock.advance(39)
    await settle()
    expect(fetched.done).toBe(false)
    world.clock.advance(1)
    await settle()
    expect(fetched.got).toEqual(['0/0', '0/1', '0/2', 'unknown 0/3', '0/4'])
    expect(fetched.done).toBe(true)
    expect(origin.cancelled).toBe(1)
  })

  it('separates what does not exist from what is unknown (section 11.4.4.2)', async () => {
    const { origin, fetcher, settle } = await liveSet()
    origin.publish(0, 0)
    origin.publish(0, 4)
    await settle()
    fetcher.standalone(video, [0, 0], [0, 5])
    await settle()
    origin.publish(0, 6)
    await settle()
    origin.answering = 'refuse'
    const fetched = fetcher.standalone(video, [0, 2], [0, 7])
    await settle()
    expect(fetched.got).toEqual(['0/4', 'unknown 0/5', '0/6'])
    origin.publish(0, 9)
    await settle()
    const later = fetcher.standalone(video, [0, 1], [0, 4], { fillTimeout: 0 })
    await settle()
    expect(later.got).toEqual([])
    expect(later.done).toBe(true)
  })

  it('is told when the publisher cannot serve it, and the next publisher is asked first', async () => {
    const { world, origin, fetcher, settle } = await liveSet({ before: [[0, 2]] })
    const second = new Origin(world, video)
    second.has(0, 0)
    second.has(0, 1)
    second.has(1, 0)
    await publish(origin, settle, [[1, 1]])
    origin.answering = 'refuse'
    const filled = fetcher.standalone(video, [0, 0], [1, 1])
    await settle()
    second.answering = 'refuse'
    const unknown = fetcher.standalone(video, [0, 0], [1, 1])
    await settle()
    expect(filled.got).toEqual(['0/0', '0/1', '1/0'])
    expect(unknown.got).toEqual(['0/0', '0/1', '1/0'])
    const third = fetcher.standalone(video, [0, 2], [1, 1])
    await settle()
    expect(third.done).toBe(true)
  })

  it('is told when the publisher resets its stream in the middle', async () => {
    const { origin, fetcher, settle } = await liveSet({ before: [[0, 3]] })
    await publish(origin, settle, [[1, 1]])
    origin.answering = 'hold'
    const fetched = fetcher.standalone(video, [0, 0], [1, 1])
    await settle()
    const request = origin.fetches[0]!
    request.accept({ endOfTrack: false, end: { group: 0, object: 0 }, properties: [] })
    const writer = request.openStream(20, 128, 'ascending')!
    writer.object(origin.objects.get('0/0')!)
    await settle()
    expect(fetched.got).toEqual(['0/0'])
    writer.reset(ResetCode.INTERNAL_ERROR)
    await settle()
    expect(fetched.got).toEqual(['0/0', 'unknown 0/*', '1/0'])
    expect(fetched.done).toBe(true)
  })

  it('is passed on where the publisher itself does not know', async () => {
    const { origin, fetcher, settle } = await liveSet({ before: [[0, 3]] })
    await publish(origin, settle, [[1, 1]])
    origin.answering = 'hold'
    const fetched = fetcher.standalone(video, [0, 0], [1, 1])
    await settle()
    const request = origin.fetches[0]!
    request.accept({ endOfTrack: false, end: { group: 0, object: 0 }, properties: [] })
    const writer = request.openStream(20, 128, 'ascending')!
    writer.rangeEnd({ group: 0, object: 1, kind: 'unknown' })
    writer.object(origin.objects.get('0/2')!)
    writer.finish()
    await settle()
    expect(fetched.got).toEqual(['unknown 0/1', '0/2', '1/0'])
  })
})

describe('a FETCH of a track with several publishers', () => {
  it('goes to the newest one: an older one may be dead and not found out yet', async () => {
    const { world, origin, fetcher, settle } = await liveSet({ before: [[0, 2]] })
    // It is there still, and answers nothing any more.
    origin.answering = 'hold'
    const second = new Origin(world, video)
    for (const object of [0, 1]) second.has(0, object)
    await settle()
    await publish(second, settle, [[1, 1]])
    const fetched = fetcher.standalone(video, [0, 0], [1, 0])
    await settle()
    expect(fetched.got).toEqual(['0/0', '0/1', '1/0'])
    expect([origin.asked, second.asked]).toEqual([[], ['0/0-0/*']])
  })
})

describe('a FETCH of a track that nobody subscribes to', () => {
  it('goes to a publisher of the namespace; FETCH_OK tells its end and properties', async () => {
    const { origin, fetcher, settle } = await set({
      before: [
        [0, 2],
        [1, 2],
      ],
    })
    origin.properties = [{ type: 0x0e, value: 3 }]
    origin.answering = 'hold'
    const fetched = fetcher.standalone(video, [0, 1], [9, 0])
    await settle()
    expect(fetched.ok).toBeNull()
    origin.serve(origin.fetches[0]!)
    await settle()
    expect(fetched.got).toEqual(['0/1', '1/0', '1/1'])
    expect(fetched.ok).toMatchObject({
      end: { group: 1, object: 2 },
      properties: [{ type: 0x0e, value: 3 }],
    })
    expect(fetched.done).toBe(true)
    expect(origin.asked).toEqual(['0/1-9/*'])
  })

  it('is answered in descending order too', async () => {
    const { origin, fetcher, settle } = await set({
      before: [
        [0, 2],
        [1, 2],
      ],
    })
    const fetched = fetcher.standalone(video, [0, 1], [9, 0], { groupOrder: 'descending' })
    await settle()
    expect(fetched.got).toEqual(['1/0', '1/1', '0/1'])
    expect(fetched.last).toEqual({ group: 1, object: 1 })
    expect(origin.fetches.length).toBe(1)
  })

  it('passes the end of the track on (section 10.13)', async () => {
    const { origin, fetcher, settle } = await set({ before: [[0, 2]] })
    origin.endOfTrack = true
    const fetched = fetcher.standalone(video, [0, 0], [0, 2])
    await settle()
    expect(fetched.got).toEqual(['0/0', '0/1'])
    expect(fetched.ok?.endOfTrack).toBe(true)
  })

  it('is refused with the publisher’s code, or because there is none', async () => {
    const { origin, fetcher, settle } = await set()
    const empty = fetcher.standalone(video, [0, 0], [1, 0])
    const nobody = fetcher.standalone(trackOf(namespaceOf('other'), 'x'), [0, 0], [1, 0])
    const reserved = fetcher.standalone(trackOf(namespaceOf('.session'), 'x'), [0, 0], [1, 0])
    await settle()
    expect(empty.code).toBe(RequestCode.INVALID_RANGE)
    expect(nobody.code).toBe(RequestCode.DOES_NOT_EXIST)
    expect(reserved.code).toBe(RequestCode.DOES_NOT_EXIST)
    origin.answering = 'refuse'
    const refused = fetcher.standalone(video, [0, 0], [1, 0])
    await settle()
    expect(refused.code).toBe(RequestCode.NOT_SUPPORTED)
  })

  it('is refused with TIMEOUT when the publisher does not answer in the FILL_TIMEOUT', async () => {
    const { world, origin, fetcher, settle } = await set({ before: [[0, 1]] })
    origin.answering = 'hold'
    const fetched = fetcher.standalone(video, [0, 0], [1, 0])
    const impatient = fetcher.standalone(video, [0, 0], [1, 0], { fillTimeout: 0 })
    await settle()
    expect(impatient.code).toBe(RequestCode.TIMEOUT)
    world.clock.advance(10_000)
    await settle()
    expect(fetched.code).toBe(RequestCode.TIMEOUT)
    expect(origin.cancelled).toBe(1)
  })

  it('is refused where the track needs a property that the relay does not know', async () => {
    const { origin, fetcher, settle } = await set({ before: [[0, 1]] })
    origin.properties = [{ type: 0x4002, value: 1 }]
    const fetched = fetcher.standalone(video, [0, 0], [0, 1])
    await settle()
    expect(fetched.code).toBe(RequestCode.UNSUPPORTED_EXTENSION)
  })
})

describe('faults and limits', () => {
  it('stops the fetch to the publisher when the subscriber cancels (section 5.2)', async () => {
    const { world, origin, fetcher, settle } = await set({ before: [[0, 1]] })
    origin.answering = 'hold'
    const fetched = fetcher.standalone(video, [0, 0], [1, 0])
    await settle()
    expect(world.relay.fetchCount).toBe(1)
    fetched.request.cancel()
    await settle()
    expect(origin.cancelled).toBe(1)
    expect(world.relay.fetchCount).toBe(0)
  })

  it('leaves nothing behind when the session of the subscriber or the publisher ends', async () => {
    const { world, origin, fetcher, settle } = await set({ before: [[0, 1]] })
    origin.answering = 'hold'
    fetcher.standalone(video, [0, 0], [1, 0])
    await settle()
    fetcher.session.close(0, 'bye')
    await settle()
    expect([origin.cancelled, world.relay.fetchCount]).toEqual([1, 0])
    const other = new Fetcher(world)
    await settle()
    const fetched = other.standalone(video, [0, 0], [1, 0])
    await settle()
    origin.session.close(0, 'bye')
    await settle()
    expect(fetched.code).toBe(RequestCode.INTERNAL_ERROR)
    expect(world.relay.fetchCount).toBe(0)
  })

  it('resets the fetch and ends the subscriptions of a malformed track (section 2.4.2)', async () => {
    const { origin, fetcher, settle } = await liveSet({ before: [[0, 3]] })
    await publish(origin, settle, [[1, 1]])
    origin.objects.set('0/2', { ...origin.objects.get('0/2')!, priority: 9 })
    const fetched = fetcher.standalone(video, [0, 0], [1, 1])
    await settle()
    expect(fetched.reset).toBe(ResetCode.MALFORMED_TRACK)
    expect(fetcher.doneCode).toBe(DoneCode.MALFORMED_TRACK)
  })

  it('refuses a malformed track that is only fetched', async () => {
    const { origin, fetcher, settle } = await set({ before: [[0, 3]] })
    origin.answering = 'hold'
    const fetched = fetcher.standalone(video, [0, 0], [0, 3])
    await settle()
    const writer = origin.fetches[0]!.openStream(20, 128, 'ascending')!
    writer.object(origin.objects.get('0/0')!)
    writer.object({ ...origin.objects.get('0/1')!, priority: 9 })
    await settle()
    expect(fetched.code).toBe(RequestCode.MALFORMED_TRACK)
    expect(origin.cancelled).toBe(1)
  })

  it('does not trust a publisher that sends what was not asked for', async () => {
    const { origin, fetcher, settle } = await liveSet({ before: [[0, 3]] })
    await publish(origin, settle, [[1, 1]])
    origin.answering = 'hold'
    const fetched = fetcher.standalone(video, [0, 0], [0, 2])
    await settle()
    const request = origin.fetches[0]!
    request.accept({ endOfTrack: false, end: { group: 0, object: 2 }, properties: [] })
    const writer = request.openStream(20, 128, 'ascending')!
    writer.object(origin.objects.get('0/2')!)
    await settle()
    expect(fetched.got).toEqual(['unknown 0/1'])
    expect(origin.cancelled).toBe(1)
  })

  it('refuses more fetches of one session than it may have', async () => {
    const { world, origin, fetcher, settle } = await set({
      before: [[0, 1]],
      limits: { maxFetches: 2 },
    })
    origin.answering = 'hold'
    const fetches = [0, 1, 2].map(() => fetcher.standalone(video, [0, 0], [0, 1]))
    const other = new Fetcher(world)
    await settle()
    const theirs = other.standalone(video, [0, 0], [0, 1])
    await settle()
    expect(fetches.map(({ code }) => code)).toEqual([null, null, RequestCode.EXCESSIVE_LOAD])
    expect(theirs.code).toBeNull()
    expect(world.hits).toEqual(['fetches'])
  })

  it('holds no more than its bound for a subscriber that takes nothing', async () => {
    const options = { room: () => room }
    let room = 0
    const { world, origin, fetcher, settle } = await set(options)
    const text = 'x'.repeat(100_000)
    for (let object = 0; object < 50; object++) origin.has(0, object, text)
    origin.answering = 'hold'
    const fetched = fetcher.standalone(video, [0, 0], [0, 50])
    await settle()
    room = 1e9
    world.offerRoom()
    await settle()
    room = 0
    const writer = origin.serve(origin.fetches[0]!)
    await settle()
    expect(fetched.got.length).toBeLessThan(8)
    expect(writer?.buffered).toBeGreaterThan(2_000_000)
    while (!fetched.done) {
      room = 300_000
      world.offerRoom()
      await settle()
    }
    expect(fetched.got.length).toBe(50)
  })
})
