import { describe, expect, it } from 'vitest'
import { participantNamespace } from '../../../moq/media/index.ts'
import type { IncomingFetch } from '../../../moq/session/index.ts'
import { TestLink } from '../../../moq/session/test-pair.ts'
import { RequestCode } from '../../../moq/wire/codes.ts'
import { trackOf } from '../../../moq/wire/names.ts'
import { TrackRepair } from './track-repair.ts'

const TRACK = trackOf(participantNamespace('room', 'ann'), 'video/0')
const NOTHING = new Uint8Array(0)

/** A subscriber that repairs, and whoever it asks. */
async function world({ rttMs = 20 } = {}) {
  const link = new TestLink()
  const requests: IncomingFetch[] = []
  const cancelled: number[] = []
  link.session('server', {
    onFetch: (request) => {
      requests.push(request)
      request.onCancelled = () => cancelled.push(requests.indexOf(request))
    },
  })
  const session = link.session('client', {})
  await link.settle()
  const got: string[] = []
  const repair: TrackRepair = new TrackRepair({
    session,
    track: TRACK,
    clock: link.clock,
    rttMs: () => rttMs,
    priority: 96,
    onObject: ({ group, object }) => {
      if (repair.received(group, object, { gap: 'unclear' })) got.push(`${group}/${object}`)
    },
  })
  let next = 0
  /** The next object but one comes, and it is noticed that one is missing. */
  const lose = async () => {
    repair.received(0, next, {})
    next += 2
    repair.received(0, next, {})
    await pass(10)
  }
  const pass = async (ms: number) => {
    link.clock.advance(ms)
    await link.settle()
  }
  const answer = async (...objects: number[]) => {
    const request = requests.at(-1)!
    const writer = request.openStream(96, 96, request.groupOrder)!
    request.accept({
      endOfTrack: false,
      end: request.range.kind === 'standalone' ? request.range.end : { group: 0, object: 0 },
      properties: [],
    })
    for (const object of objects) {
      writer.object({
        group: 0,
        object,
        subgroup: null,
        priority: 96,
        properties: NOTHING,
        payload: Uint8Array.of(1),
      })
    }
    writer.finish()
    await link.settle()
  }
  const refuse = async (code: number, retryAfterMs: number | null = null) => {
    requests.at(-1)!.reject(code, 'no', retryAfterMs)
    await link.settle()
  }
  return { link, session, repair, requests, cancelled, got, lose, pass, answer, refuse }
}

describe('the repair of a track', () => {
  it('asks for what is missing, and takes it once', async () => {
    const { repair, requests, got, lose, answer } = await world()
    await lose()
    expect(requests[0]!.range).toMatchObject({
      start: { group: 0, object: 1 },
      end: { group: 0, object: 2 },
    })
    expect(repair.awaitedUntil(0, 0, 3)).toBe(150)
    await answer(1)
    expect(got).toEqual(['0/1'])
    expect(repair.received(0, 1, {})).toBe(false)
    expect(repair.figures).toEqual({ repaired: 1, late: 0, givenUp: 0 })
    expect(repair.lost).toBe(1)
  })

  it('does not take again what came by itself meanwhile', async () => {
    const { repair, got, lose, answer } = await world()
    await lose()
    repair.received(0, 1, {})
    await answer(1)
    expect(got).toEqual([])
  })

  it('gives a FETCH up that is not answered in time', async () => {
    const { repair, requests, cancelled, lose, pass } = await world()
    await lose()
    await pass(149)
    expect(cancelled).toEqual([])
    await pass(1)
    expect(cancelled).toEqual([0])
    await lose()
    expect(requests).toHaveLength(2)
    expect(repair.figures.givenUp).toBe(1)
  })

  it.each([
    ['NOT_SUPPORTED', RequestCode.NOT_SUPPORTED],
    ['UNAUTHORIZED', RequestCode.UNAUTHORIZED],
  ])('ends where FETCH is refused with %s', async (_, code) => {
    const { repair, requests, lose, refuse } = await world()
    await lose()
    await refuse(code)
    expect(repair.active).toBe(false)
    await lose()
    expect(requests).toHaveLength(1)
    // Nobody waits for it either.
    expect(repair.awaitedUntil(0, 2, 4)).toBeNull()
  })

  it('bears that some objects are not kept any more, but not for ever', async () => {
    const { repair, requests, lose, answer, refuse } = await world()
    for (let round = 0; round < 7; round++) {
      await lose()
      await refuse(RequestCode.DOES_NOT_EXIST)
    }
    await lose()
    await answer(15)
    expect(repair.active).toBe(true)
    for (let round = 0; round < 8; round++) {
      await lose()
      await refuse(RequestCode.DOES_NOT_EXIST)
    }
    expect(repair.active).toBe(false)
    expect(requests).toHaveLength(16)
  })

  it('ends where FETCH is never answered, as frames wait for nothing', async () => {
    const { repair, lose, pass } = await world()
    for (let round = 0; round < 8; round++) {
      expect(repair.active).toBe(true)
      await lose()
      await pass(150)
    }
    expect(repair.active).toBe(false)
  })

  it('waits as long as a busy relay says', async () => {
    const { requests, lose, pass, refuse } = await world()
    await lose()
    await refuse(RequestCode.EXCESSIVE_LOAD, 500)
    await lose()
    expect(requests).toHaveLength(1)
    await pass(500)
    await lose()
    expect(requests).toHaveLength(2)
  })

  it('asks once more where the relay does not know of the object yet', async () => {
    const { requests, got, lose, pass, answer, refuse } = await world()
    await lose()
    await refuse(RequestCode.INVALID_RANGE)
    await pass(34)
    expect(requests).toHaveLength(1)
    await pass(1)
    expect(requests).toHaveLength(2)
    await answer(1)
    expect(got).toEqual(['0/1'])
  })

  it('asks for nothing while it does not know how far the relay is, or the relay is too far', async () => {
    for (const rttMs of [Number.POSITIVE_INFINITY, 140]) {
      const { repair, requests, lose } = await world({ rttMs })
      await lose()
      expect(requests).toHaveLength(0)
      expect(repair.figures.givenUp).toBe(1)
    }
  })

  it('leaves neither timers nor requests behind, and survives the end of the session', async () => {
    const { link, session, repair, cancelled, lose, pass } = await world()
    const before = link.clock.timers
    await lose()
    repair.close()
    await pass(0)
    expect(cancelled).toEqual([0])
    expect(link.clock.timers).toBe(before)
    const other = await world()
    await other.lose()
    other.session.close(0, 'bye')
    await other.lose()
    await other.pass(1000)
    expect(session.closed).toBe(false)
  })
})
