import { beforeEach, describe, expect, it } from 'vitest'
import type { Question } from './messages.ts'
import { placeOfRoom } from './place.ts'
import { WorkerViews } from './views.ts'

/** What each of two workers answers; undefined: it does not. */
let answers: (Record<string, unknown> | undefined)[]
let serving: boolean[]
let asked: [number, Question][]

const room = ['a', 'b', 'c', 'd'].find((name) => placeOfRoom(name, 2) === 1)!

function ask(index: number, question: Question) {
  asked.push([index, question])
  return answers[index]?.[question.kind] ?? null
}

const pool = {
  isServing: (index: number) => serving[index]!,
  ask: async (index: number, question: Question) => ask(index, question),
  askAll: async (question: Question) =>
    new Map([0, 1].map((index) => [index, ask(index, question)] as const).filter(([, one]) => one)),
}
const views = new WorkerViews(pool as never, 2)

beforeEach(() => {
  asked = []
  serving = [true, true]
  answers = [
    {
      'not-ready': [],
      rooms: { rooms: [{ room: 'one' }], groups: [] },
      'room-sizes': [{ room: 'one', participants: 2 }],
    },
    {
      'not-ready': [],
      rooms: { rooms: [{ room }], groups: [], leftOut: { rooms: 3, groups: 0, entries: 0 } },
      'room-sizes': [{ room, participants: 1 }],
      debug: { status: 200, headers: {}, body: 'of the worker' },
    },
  ]
})

describe('how all workers are together', () => {
  it('is ready when each is', async () => {
    expect(await views.notReady()).toEqual([])
    answers[1]!['not-ready'] = ['draining']
    expect(await views.notReady()).toEqual(['worker 1: draining'])
    answers[1] = undefined
    expect(await views.notReady()).toEqual(['worker 1 does not answer'])
    serving[1] = false
    expect(await views.notReady()).toEqual(['worker 1 is being started'])
  })

  it('has the rooms of all, or asks the one that has a room', async () => {
    expect(await views.rooms(null)).toMatchObject({
      rooms: [{ room: 'one' }, { room }],
      leftOut: { rooms: 3 },
    })
    asked = []
    await views.rooms(room)
    expect(asked).toEqual([[1, { kind: 'rooms', room }]])
    answers[1] = undefined
    expect(await views.rooms(room)).toEqual({ rooms: [], groups: [] })
    expect((await views.rooms(null)).rooms).toEqual([{ room: 'one' }])
  })

  it('lists all rooms at /debug, and shows one as its worker does', async () => {
    const list = await views.debug('data', new URLSearchParams())
    expect(JSON.parse(String(list.body))).toEqual({
      rooms: [
        { room: 'one', participants: 2 },
        { room, participants: 1 },
      ],
    })
    expect(String((await views.debug('page', new URLSearchParams())).body)).toContain('one')
    const query = new URLSearchParams({ room })
    expect(await views.debug('page', query)).toMatchObject({ status: 200, body: 'of the worker' })
    answers[1] = undefined
    expect(await views.debug('page', query)).toMatchObject({
      status: 503,
      body: expect.stringContaining('Worker 1'),
    })
  })
})
