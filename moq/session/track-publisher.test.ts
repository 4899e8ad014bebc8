import { describe, expect, it } from 'vitest'
import { RequestCode, ResetCode } from '../wire/codes.ts'
import { namespaceOf, trackOf } from '../wire/names.ts'
import type { Parameters } from '../wire/parameters.ts'
import type { IncomingSubgroup } from './handler.ts'
import type { IncomingPublish } from './publish.ts'
import { Log, TestLink } from './test-pair.ts'
import { TrackPublisher } from './track-publisher.ts'

const TRACK = trackOf(namespaceOf('room', 'ann'), 'audio')
const NOTHING = new Uint8Array(0)

/** A publisher's track (server) and a subscriber (client). */
async function world() {
  const link = new TestLink()
  const demand: boolean[] = []
  const publisher = new TrackPublisher({
    trackAlias: 3,
    priority: 20,
    onDemand: (wanted) => demand.push(wanted),
  })
  const offers: IncomingPublish[] = []
  const server = link.session('server', { onSubscribe: (request) => publisher.accept(request) })
  const client = link.session('client', { onPublish: (offer) => offers.push(offer) })
  await link.settle()
  const log = new Log()
  const subscribe = (parameters: Parameters) => client.subscribe(TRACK, parameters, log)
  const write = (group: number, object: number) =>
    publisher.writeStream(0, { group, object, properties: NOTHING, payload: Uint8Array.of(1) })
  return { link, publisher, server, client, offers, log, subscribe, write, demand }
}

const objects = (log: Log) => log.lines.filter((line) => line.startsWith('object'))

describe('a track that we publish', () => {
  it.each<[string, Parameters, string[]]>([
    ['no filter passes all', {}, ['3/0', '3/1', '4/0', '5/0', '6/0']],
    [
      'Largest Object passes what is later',
      { filter: { kind: 'largest-object' } },
      ['3/1', '4/0', '5/0', '6/0'],
    ],
    [
      'Next Group Start passes later groups',
      { filter: { kind: 'next-group-start' } },
      ['4/0', '5/0', '6/0'],
    ],
    [
      'AbsoluteStart passes from its start',
      { filter: { kind: 'absolute-start', start: { group: 5, object: 0 } } },
      ['5/0', '6/0'],
    ],
    [
      'AbsoluteRange passes to the end of its end group',
      { filter: { kind: 'absolute-range', start: { group: 3, object: 1 }, endGroup: 4 } },
      ['3/1', '4/0'],
    ],
  ])('%s (draft-18 section 5.1.2)', async (_, parameters, passed) => {
    const { link, log, subscribe, write } = await world()
    write(3, 0)
    subscribe(parameters)
    await link.settle()
    for (const [group, object] of [
      [3, 0],
      [3, 1],
      [4, 0],
      [5, 0],
      [6, 0],
    ] as const) {
      write(group, object)
    }
    await link.settle()
    expect(objects(log)).toEqual(passed.map((location) => `object ${location}`))
  })

  it('ends a subscription whose filter ends, and refuses one that is over already', async () => {
    const { link, publisher, client, log, subscribe, write } = await world()
    subscribe({ filter: { kind: 'absolute-range', start: { group: 1, object: 0 }, endGroup: 2 } })
    await link.settle()
    for (const group of [1, 2, 3]) {
      write(group, 0)
      publisher.endGroupsBefore(group + 1)
    }
    await link.settle()
    expect(log.lines.slice(-2)).toEqual(['done 3', 'drained'])
    expect(publisher.wanted).toBe(false)
    const late = new Log()
    client.subscribe(
      TRACK,
      { filter: { kind: 'absolute-range', start: { group: 1, object: 0 }, endGroup: 2 } },
      late,
    )
    await link.settle()
    expect(late.lines).toEqual([`rejected 0x${RequestCode.INVALID_RANGE.toString(16)}`])
    // More of the largest group may come.
    const current = new Log()
    client.subscribe(
      TRACK,
      { filter: { kind: 'absolute-range', start: { group: 1, object: 0 }, endGroup: 3 } },
      current,
    )
    await link.settle()
    expect(current.lines).toEqual(['accepted'])
  })

  it('is offered with PUBLISH, and wanted as the subscriber says', async () => {
    const { link, publisher, server, offers, write, demand } = await world()
    const publication = publisher.publish(server, TRACK, { forward: false })
    await link.settle()
    expect(demand.at(-1)).toBe(false)
    const log = new Log()
    const subscription = offers[0]!.accept({ forward: true }, log)
    await link.settle()
    expect(demand.at(-1)).toBe(true)
    write(0, 0)
    await link.settle()
    expect(objects(log)).toEqual(['object 0/0'])
    subscription.update({ forward: false })
    await link.settle()
    expect(demand.at(-1)).toBe(false)
    write(0, 1)
    subscription.update({ forward: true })
    await link.settle()
    expect(publication.joiningLocation).toEqual({ group: 0, object: 1 })
    write(0, 2)
    await link.settle()
    // The stream that left an object out was reset, and another one goes on (11.4.3).
    expect(log.lines.filter((line) => line !== 'end')).toEqual([
      'object 0/0',
      `reset ${ResetCode.CANCELLED}`,
      'object 0/2',
    ])
    subscription.unsubscribe()
    await link.settle()
    expect(publisher.wanted).toBe(false)
  })

  it('forgets who refuses it', async () => {
    const { link, publisher, server, offers } = await world()
    const codes: number[] = []
    publisher.publish(server, TRACK, { onRejected: ({ code }) => codes.push(code) })
    expect(publisher.wanted).toBe(true)
    await link.settle()
    offers[0]!.reject(RequestCode.UNINTERESTED, 'no')
    await link.settle()
    expect(codes).toEqual([RequestCode.UNINTERESTED])
    expect(publisher.wanted).toBe(false)
  })

  it('opens no stream again for a subgroup that was stopped, until forwarding is renewed (11.4.3)', async () => {
    const { link, client, write } = await world()
    const opened: number[] = []
    let current: IncomingSubgroup | null = null
    const subscription = client.subscribe(
      TRACK,
      {},
      {
        onObject() {},
        onSubgroup: (subgroup) => {
          opened.push(subgroup.header.group)
          current = subgroup
        },
      },
    )
    await link.settle()
    write(0, 0)
    await link.settle()
    current!.stop(ResetCode.CANCELLED)
    await link.settle()
    expect(write(0, 1)).toBe(true)
    write(1, 0)
    write(0, 2)
    await link.settle()
    expect(opened).toEqual([0, 1])
    subscription.update({ forward: false })
    subscription.update({ forward: true })
    await link.settle()
    write(0, 3)
    await link.settle()
    expect(opened).toEqual([0, 1, 0])
  })
})
