import { describe, expect, it } from 'vitest'
import { participantNamespace } from '../../moq/media/index.ts'
import { encodeReceiverReport, REPORT_TRACK } from '../../moq/media/receiver-report.ts'
import { RequestCode } from '../../moq/wire/codes.ts'
import { namespaceOf, trackOf } from '../../moq/wire/names.ts'
import { ManualPublisher, ManualSubscriber } from './test-peers.ts'
import { ROOM, SimulcastCamera, Viewer, wish } from './test-receivers.ts'
import { RelayWorld, type RelayWorldOptions, Subscriber } from './test-world.ts'

const bobs = trackOf(participantNamespace(ROOM, 'bob'), REPORT_TRACK)

async function reporting(options: RelayWorldOptions = {}) {
  const world = new RelayWorld(options)
  const viewer = new Viewer(world)
  await world.settle()
  return { world, viewer, settle: () => world.settle() }
}

const arrivals = (bytes: number) => ({ intervalMs: 200, bytes, received: 5, lost: 0, queueMs: 0 })

describe('reports of a receiver', () => {
  it('are asked of each participant, once, and wishes make it a receiver', async () => {
    const { viewer, settle } = await reporting()
    expect([viewer.asked, viewer.peer.receiver]).toEqual([1, null])
    viewer.report(null, arrivals(1000))
    await settle()
    expect(viewer.peer.receiver).toBeNull()
    viewer.report([wish()], arrivals(2000))
    await settle()
    expect(viewer.peer.receiver).not.toBeNull()
    viewer.report(null, arrivals(3000))
    await settle()
    expect(viewer.budget.reports).toEqual([1000, 2000, 3000])
  })

  it('are not asked of services, nor of namespaces that are no participant', async () => {
    const world = new RelayWorld()
    const asked: string[] = []
    const onSubscribe = () => {
      asked.push('report')
    }
    for (const name of [
      ['sotto', 'demo'],
      ['news', 'demo', 'bob'],
      ['sotto', 'demo', 'b', 'c'],
    ]) {
      world.client({ onSubscribe }).publishNamespace(namespaceOf(...name), {})
    }
    const service = world.client({ onSubscribe }, true)
    service.publishNamespace(participantNamespace(ROOM, 'bob'), {})
    await world.settle()
    expect(asked).toEqual([])
  })

  it('are for the relay alone, whoever asks in whatever way', async () => {
    const { world, viewer, settle } = await reporting()
    const curious = new Subscriber(world)
    const watching = new ManualSubscriber(world)
    watching.watchTracks(namespaceOf('sotto', ROOM))
    await settle()
    curious.subscribe(bobs)
    curious.askStatus(bobs)
    const refused: number[] = []
    curious.session.fetch(
      {
        kind: 'standalone',
        track: bobs,
        start: { group: 0, object: 0 },
        end: { group: 9, object: 0 },
      },
      { onRejected: ({ code }) => refused.push(code), onObject: () => {} },
    )
    viewer.session.subscribe(
      bobs,
      {},
      { onObject: () => {}, onRejected: ({ code }) => refused.push(code) },
    )
    viewer.report([wish()])
    await settle()
    const { UNAUTHORIZED } = RequestCode
    expect([...curious.rejected, ...refused]).toEqual(Array(4).fill(UNAUTHORIZED))
    expect(watching.offers).toEqual([])
    expect(viewer.asked).toBe(1)
  })

  it('are not taken by PUBLISH', async () => {
    const { world, settle } = await reporting()
    const publisher = new ManualPublisher(world)
    const track = publisher.publish(trackOf(participantNamespace(ROOM, 'eve'), REPORT_TRACK))
    await settle()
    expect(track.rejected).toBe(RequestCode.UNINTERESTED)
  })

  it('that are malformed are counted and change nothing', async () => {
    const { world, viewer, settle } = await reporting()
    viewer.say(new Uint8Array(0))
    viewer.say(Uint8Array.of(9, 9, 9))
    viewer.say(new Uint8Array(100_000))
    await settle()
    expect(world.relay.tally.malformedReports).toBe(3)
    expect(viewer.peer.receiver).toBeNull()
    expect(viewer.session.closed).toBe(false)
    viewer.report([wish()])
    await settle()
    expect(viewer.peer.receiver).not.toBeNull()
  })

  it('reads so many a second, and leaves out the rest', async () => {
    const { world, viewer, settle } = await reporting({ limits: { maxReports: 5 } })
    for (let bytes = 0; bytes < 12; bytes++) viewer.report(null, arrivals(bytes))
    await settle()
    expect(viewer.budget.reports).toEqual([0, 1, 2, 3, 4])
    expect(world.hits).toEqual(Array(7).fill('reports'))
    world.clock.advance(400)
    for (let bytes = 20; bytes < 23; bytes++) viewer.report(null, arrivals(bytes))
    await settle()
    expect(viewer.budget.reports.slice(5)).toEqual([20, 21])
    expect(viewer.session.closed).toBe(false)
  })

  it('that were overtaken by a newer one are left out', async () => {
    const { viewer, settle } = await reporting()
    const say = (bytes: number, group: number) =>
      viewer.say(encodeReceiverReport({ wishes: null, arrivals: arrivals(bytes) }), group)
    say(1000, 5)
    say(2000, 3)
    say(3000, 6)
    await settle()
    expect(viewer.budget.reports).toEqual([1000, 3000])
  })

  it('end with the session, and leave nothing', async () => {
    const { world, viewer, settle } = await reporting()
    const camera = new SimulcastCamera(world)
    await settle()
    viewer.watch()
    viewer.report([wish()])
    await settle()
    viewer.session.close(0, '')
    camera.session.close(0, '')
    await settle()
    world.clock.advance(60_000)
    await settle()
    expect(viewer.peer.receiver).toBeNull()
    expect([world.relay.trackCount, world.clock.timers]).toEqual([0, 0])
  })

  it('are read of one participant a session', async () => {
    const { viewer, settle } = await reporting()
    viewer.report([wish()])
    await settle()
    const { receiver } = viewer.peer
    viewer.session.publishNamespace(participantNamespace('elsewhere', 'bob'), {})
    await settle()
    expect(viewer.asked).toBe(1)
    expect(viewer.peer.receiver).toBe(receiver)
  })
})
