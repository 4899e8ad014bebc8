/** A publisher and a watcher without a relay or a network between them, on a manual clock. */

import { describe, expect, it } from 'vitest'
import { participantNamespace } from '../../../moq/media/index.ts'
import type { IncomingSubscribe } from '../../../moq/session/index.ts'
import { TestLink } from '../../../moq/session/test-pair.ts'
import type { MemoryOptions } from '../../../moq/transport/memory.ts'
import { trackOf } from '../../../moq/wire/names.ts'
import { ReceiverContext } from '../../../sframe/index.ts'
import { nodeProvider } from '../../../sframe/node.ts'
import { seededRandom } from '../../../sfu/simulation/net/random.ts'
import { Lateness } from '../figures/lateness.ts'
import { Phases } from '../figures/phases.ts'
import { ReceiverFigures } from '../figures/receiver-figures.ts'
import { Timeline } from '../figures/timeline.ts'
import { NamedKeys } from '../keys/named-keys.ts'
import type { SendKey } from '../keys/participant-keys.ts'
import { CLASS_INDEX } from '../media/object-class.ts'
import { camera, type TrackSpec, tracksOf, VOICE } from '../media/profile.ts'
import { ReceivedPicture } from './received-picture.ts'
import { ReceivedTrack } from './received-track.ts'
import { SentTrack } from './sent-track.ts'
import { wishesOf } from './wishes.ts'
import type { LabelFigures, World } from './world.ts'

const MEASURED_MS = 4000
let rooms = 0

/** Keys of a member, and the last that it was given to send with. */
async function keysOf(room: string, leaf: number) {
  const given: SendKey[] = []
  const keys = new NamedKeys({
    ...{ room, leaf, epochs: [0, 1], epochNow: () => 0 },
    events: {
      onReceiveKeys: () => {},
      onSendKey: (key) => given.push(key),
      onRevoked: () => {},
      onFault: (reason) => {
        throw new Error(reason)
      },
    },
  })
  await keys.prepare()
  return {
    keys,
    get key() {
      return given.at(-1)!
    },
  }
}

/** A watcher's keys, which may come while objects arrive. */
class PlacedKeys {
  place: 'future' | 'before-us' = 'future'
  receiver: ReceiverContext
  private readonly keys: NamedKeys

  constructor(keys: NamedKeys, areThere: boolean) {
    this.keys = keys
    const none = new ReceiverContext({ provider: nodeProvider, suite: keys.receiver.suite })
    this.receiver = areThere ? keys.receiver : none
  }

  placeOf() {
    return this.place
  }

  come(): void {
    this.receiver = this.keys.receiver
  }
}

/** Keys of a room are used once in a process. */
async function scene(
  spec: TrackSpec,
  options: Partial<MemoryOptions> = {},
  keysCome: 'before' | 'late' = 'before',
) {
  const room = `tracks-${rooms++}`
  const link = new TestLink(options)
  const { clock } = link
  const phases = new Phases(0, [{ name: 'all', ms: MEASURED_MS }])
  const world: World = {
    clock,
    startAt: 0,
    wallClock: () => 1_700_000_000_000 + Math.floor(clock.now()),
    random: seededRandom(1),
    phases,
    lateMs: 300,
    compareBytes: true,
    openings: null,
    lateness: new Lateness(),
  }
  const figures: LabelFigures = {
    phases: [new ReceiverFigures()],
    timeline: new Timeline(0, MEASURED_MS),
  }
  const track = trackOf(participantNamespace(room, 'p0'), spec.name)
  const sent = new SentTrack({ participant: 'p0', room, track, spec, number: 0, world })
  const [sending, watching] = [await keysOf(room, 0), await keysOf(room, 1)]
  await sent.useKey(sending.key)
  const placed = new PlacedKeys(watching.keys, keysCome === 'before')
  link.session('server', { onSubscribe: (request: IncomingSubscribe) => sent.accept(request) })
  const session = link.session('client', {})
  await link.settle()
  const picture = spec.kind === 'audio' ? null : new ReceivedPicture(world, figures)
  const refusals: string[] = []
  const received = new ReceivedTrack({
    session,
    publisher: 'p0',
    track,
    spec,
    keys: placed,
    picture,
    world,
    figures,
    onArrival: () => {},
    onRefused: (reason) => refusals.push(reason),
  })
  await link.settle()
  sent.start()
  const run = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 5) {
      clock.advance(5)
      await link.settle()
      picture?.poll(clock.now())
    }
  }
  const nextEpoch = async () => {
    await sending.keys.changeEpoch(1)
    await sent.useKey(sending.key)
  }
  return {
    placed,
    nextEpoch,
    clock,
    sent,
    received,
    picture,
    refusals,
    run,
    figures: figures.phases[0]!,
    world,
  }
}

describe('a synthetic voice', () => {
  it('is 50 objects a second of the size of its bitrate, all of which arrive and decrypt', async () => {
    const { sent, received, figures, run } = await scene(VOICE)
    await run(2000)
    const { objects, groups, bytes } = sent.sent()
    expect(objects.length).toBeGreaterThanOrEqual(99)
    expect(new Set(bytes).size).toBeLessThanOrEqual(2) // the SFrame header grows with its counter
    expect(bytes[0]).toBeGreaterThan(80)
    expect(new Set(groups).size).toBe(Math.ceil(objects.length / VOICE.framesPerGroup))
    expect(figures.of('audio').received).toBe(objects.length)
    // Expected is what was sent after the first had come.
    expect(received.result().received[0]![CLASS_INDEX.audio]).toBe(objects.length - 1)
    expect(figures.toData()).toMatchObject({ undecryptable: 0, audioGaps: { count: 0 } })
    expect(received.arrivals).toMatchObject({ received: objects.length, lost: 0 })
  })

  it('goes over to another epoch without losing an object', async () => {
    const { nextEpoch, sent, figures, run } = await scene(VOICE)
    await run(500)
    await nextEpoch()
    await run(500)
    expect(figures.of('audio').received).toBe(sent.objectsSent)
    expect(figures.undecryptable).toBe(0)
  })
})

describe('a sender whose key is revoked', () => {
  it('holds sound until there is another, so that none is lost', async () => {
    const { nextEpoch, sent, figures, run } = await scene(VOICE)
    await run(500)
    sent.revokeKey()
    const before = sent.objectsSent
    await run(300)
    expect(sent.objectsSent).toBe(before)
    await nextEpoch()
    await run(500)
    expect(sent.objectsSent).toBeGreaterThan(before + 35)
    expect(figures.of('audio').received).toBe(sent.objectsSent)
    // What waited was late: the time of its making counts.
    expect(figures.of('audio').latency.max).toBeGreaterThan(250)
    expect(figures.toData()).toMatchObject({ undecryptable: 0, audioGaps: { count: 1 } })
  })

  it('goes on with a key frame where it is a camera', async () => {
    const { nextEpoch, sent, figures, run } = await scene(camera(1)[0]!)
    await run(500)
    sent.revokeKey()
    const before = sent.sent().groups.at(-1)!
    await run(200)
    await nextEpoch()
    await run(500)
    expect(sent.sent().groups.at(-1)).toBe(before + 1)
    expect(figures.undecryptable).toBe(0)
  })
})

describe('a receiver', () => {
  it('keeps what comes before its keys, and opens it when they are there', async () => {
    const { sent, received, figures, placed, run } = await scene(VOICE, {}, 'late')
    await run(400)
    expect(received.firstAt).toBeNull()
    expect(figures.of('audio').received).toBe(0)
    placed.come()
    received.retry()
    await run(100)
    expect(figures.of('audio').received).toBe(sent.objectsSent)
    expect(received.arrivals.received).toBe(sent.objectsSent)
  })

  it('misses nothing of an epoch before its own, and does not expect it', async () => {
    const { received, figures, placed, run } = await scene(VOICE, {}, 'late')
    placed.place = 'before-us'
    await run(400)
    placed.come()
    received.retry()
    const missed = received.arrivals.received
    await run(200)
    expect(figures.undecryptable).toBe(0)
    expect(received.arrivals.received).toBeGreaterThan(missed)
    expect(figures.of('audio').received).toBe(received.arrivals.received - missed)
  })

  it('gives up what waits for keys that do not come', async () => {
    const { received, figures, run } = await scene(VOICE, {}, 'late')
    await run(3500)
    received.retry()
    // 128 wait at most, and those for at most 3 s.
    expect(figures.undecryptable).toBeGreaterThan(40)
  })
})

it('a camera that follows its plan sends as many bits and layers, or nothing', async () => {
  const [spec] = camera(1)
  const { sent, run } = await scene(spec!)
  const plan = {
    name: spec!.name,
    active: true,
    bitrate: 100_000,
    framerate: 30,
    temporalLayers: 1,
  }
  sent.follow(plan)
  await run(3000)
  const { classes, bytes } = sent.sent()
  expect(new Set(classes)).toEqual(new Set([CLASS_INDEX['video-t0']]))
  // The base layer has nearly half of the bits.
  expect(bytes.reduce((sum, count) => sum + count, 0) * 8).toBeLessThan(3 * 100_000)
  sent.follow({ ...plan, active: false })
  const before = sent.objectsSent
  await run(500)
  expect(sent.objectsSent).toBe(before)
  sent.follow({ ...plan, temporalLayers: 3 })
  await run(500)
  expect(new Set(sent.sent().classes.subarray(before)).size).toBe(3)
})

describe('a synthetic camera', () => {
  const [spec] = camera(1)

  it('has a key frame first, its base layer on streams and the others in fragments', async () => {
    const { sent, figures, picture, run } = await scene(spec!)
    await run(2000)
    const { classes, bytes, objects } = sent.sent()
    expect(classes[0]).toBe(CLASS_INDEX['video-t0'])
    const above = [...bytes].filter((_, index) => classes[index] !== CLASS_INDEX['video-t0'])
    expect(Math.max(...above)).toBeLessThan(1200)
    expect(Math.max(...bytes)).toBeGreaterThan(5000)
    // Every frame of 30 a second could be decoded; some are cut into several objects.
    expect(figures.frames).toBeGreaterThanOrEqual(58)
    expect(objects.length).toBeGreaterThan(figures.frames)
    expect(picture!.shownAt).toBeLessThan(100)
    expect(figures.freezes.count).toBe(0)
  })

  it('loses of a lost datagram that frame alone, and the loss is told', async () => {
    let datagrams = 0
    const lossy = { loseDatagram: () => datagrams++ % 10 === 9 }
    const { sent, received, figures, run } = await scene(spec!, lossy)
    await run(3000)
    const counts = received.result().received[0]!
    const arrived = counts.reduce((sum, count) => sum + count, 0)
    expect(arrived).toBeLessThan(sent.objectsSent)
    expect(figures.of('video-t0').received).toBe(
      [...sent.sent().classes].filter((of) => of === CLASS_INDEX['video-t0']).length,
    )
    expect(figures.freezes.count).toBe(0)
    expect(figures.frames).toBeGreaterThan(45)
  })

  it('takes a new key at a key frame, which it sends at once', async () => {
    const { nextEpoch, sent, figures, run } = await scene(spec!)
    await run(1000)
    await nextEpoch()
    await run(1000)
    const groups = new Set(sent.sent().groups)
    expect(groups.size).toBe(2)
    expect(figures.undecryptable).toBe(0)
    expect(figures.freezes.count).toBe(0)
  })

  it('counts a picture that stands still as frozen, also at the end', async () => {
    const { sent, picture, figures, clock, run } = await scene(spec!)
    await run(1000)
    sent.stop()
    await run(900)
    picture!.end(clock.now())
    expect(figures.freezes).toMatchObject({ count: 1 })
    expect(figures.freezes.longestMs).toBeGreaterThan(850)
  })
})

it('a managed participant wishes to see each picture as large as it is sent', () => {
  const watches = [{ participant: 'p0', tracks: tracksOf('mixed', 3, true) }]
  // The largest rendition's size, rounded up to 64 pixels.
  expect(wishesOf(watches)).toMatchObject([
    { participant: 'p0', source: 'camera', width: 1280, height: 768, hidden: false },
    { participant: 'p0', source: 'screen', width: 1920, height: 1088, hidden: false },
  ])
  expect(wishesOf([{ participant: 'p1', tracks: [VOICE] }])).toEqual([])
})
