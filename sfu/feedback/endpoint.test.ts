import { describe, expect, it } from 'vitest'
import {
  decodePublisherFeedback,
  decodeSpeakers,
  feedbackTrack,
  participantNamespace,
  relayNamespace,
  speakersTrack,
} from '../../moq/media/index.ts'
import { type FullTrackName, formatNamespace } from '../../moq/wire/names.ts'
import type { MoqObject } from '../../moq/wire/object.ts'
import { mayPublishNamespace, maySubscribe, permissionsOf } from '../admission/permissions.ts'
import { Publisher, RelayWorld } from '../relay/test-world.ts'
import { FeedbackEndpoint } from './endpoint.ts'

const EPOCH = 1_700_000_000_000

class FeedbackWorld extends RelayWorld {
  readonly meters = this.relay.meters
  readonly speakers = this.relay.speakers
  readonly rejected: string[] = []
  closedFor: string | null = null
  readonly endpoint = new FeedbackEndpoint({
    transport: this.connect(true),
    clock: this.clock,
    wallClock: () => EPOCH + this.clock.now(),
    meters: this.meters,
    speakers: this.speakers,
    onRejected: (what) => this.rejected.push(what),
    onClosed: (reason) => {
      this.closedFor = reason
    },
  })

  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 100) {
      this.clock.advance(Math.min(100, left))
      await this.settle()
    }
  }

  /** A member of the room that listens to one track; a service of ours may listen to all. */
  listen(track: FullTrackName, session = this.client({}, true)) {
    const heard = {
      objects: [] as MoqObject[],
      rejected: [] as number[],
      done: 0,
      get newest() {
        return heard.objects.at(-1)!
      },
    }
    const subscription = session.subscribe(
      track,
      { newGroupRequest: 0, rendezvousTimeout: 1000 },
      {
        onObject: (object) => heard.objects.push(object),
        onRejected: (error) => heard.rejected.push(error.code),
        onDone: () => heard.done++,
      },
    )
    return Object.assign(heard, { subscription })
  }

  speak(room: string, participant: string): void {
    for (let i = 0; i <= 30; i++) {
      this.speakers.voice(room, participant)!.heard(127, this.clock.now())
      const voice = this.speakers.voice(room, participant)!
      for (let j = 0; j < 20; j++) voice.heard(0x80 | 20, this.clock.now() + j * 20 + i)
    }
  }
}

async function withPublisher(participant = 'a') {
  const world = new FeedbackWorld()
  const publisher = new Publisher(world, participantNamespace('r', participant))
  await world.settle()
  return { world, publisher }
}

describe('feedback to a publisher', () => {
  it('comes at once, then five times a second, a group of one object each', async () => {
    const { world, publisher } = await withPublisher()
    const track = world.meters.of('r', 'a', 0).track('audio', 0)!
    await world.pass(300)
    const heard = world.listen(feedbackTrack('r', 'a'), publisher.session)
    await world.settle()
    await world.pass(100)
    expect(heard.objects.length).toBeGreaterThanOrEqual(1)
    const before = heard.objects.length
    for (let i = 0; i < 10; i++) {
      track.received(i, 0, 2500, false)
      await world.pass(100)
    }
    expect(heard.objects.length - before).toBe(5)
    const groups = heard.objects.map(({ group }) => group)
    expect(groups).toEqual([...new Set(groups)].sort((x, y) => x - y))
    expect(heard.objects.every(({ object }) => object === 0)).toBe(true)
    const feedback = decodePublisherFeedback(heard.newest.payload)
    expect(feedback.bitrate).toBeGreaterThan(150_000)
    expect(feedback.tracks[0]!.name).toBe('audio')
  })

  it('goes to whoever comes later at once', async () => {
    const { world } = await withPublisher()
    world.meters.of('r', 'a', 0).track('audio', 0)
    world.listen(feedbackTrack('r', 'a'))
    await world.pass(1000)
    const late = world.listen(feedbackTrack('r', 'a'))
    await world.settle()
    expect(late.objects).toHaveLength(1)
  })

  it('is sooner when what is wanted changes', async () => {
    const { world } = await withPublisher()
    const track = world.meters.of('r', 'a', 0).track('video/0', 0)!
    const heard = world.listen(feedbackTrack('r', 'a'))
    await world.pass(1000)
    const before = heard.objects.length
    track.want(3)
    await world.pass(100)
    expect(heard.objects.length - before).toBe(1)
    expect(decodePublisherFeedback(heard.newest.payload).tracks[0]!.layers).toBe(3)
  })

  it('that no datagram holds goes on a stream', async () => {
    const { world } = await withPublisher()
    for (let i = 0; i < 64; i++) world.meters.of('r', 'a', 0).track(`${i}${'x'.repeat(30)}`, 0)
    const heard = world.listen(feedbackTrack('r', 'a'))
    await world.pass(500)
    expect(decodePublisherFeedback(heard.newest.payload).tracks).toHaveLength(64)
    expect(heard.newest.subgroup).not.toBeNull()
  })

  it('ends when the participant is gone, and begins anew with larger groups', async () => {
    const { world, publisher } = await withPublisher()
    new Publisher(world, participantNamespace('r', 'b'))
    world.meters.of('r', 'a', 0).track('audio', 0)
    const heard = world.listen(feedbackTrack('r', 'a'))
    await world.pass(1000)
    publisher.withdraw()
    await world.pass(200)
    expect(heard.done).toBe(1)
    const last = heard.newest.group
    new Publisher(world, participantNamespace('r', 'a'))
    const again = world.listen(feedbackTrack('r', 'a'))
    await world.pass(500)
    expect(again.objects[0]!.group).toBeGreaterThan(last)
  })

  it('is not made for rooms that are not there', async () => {
    const { world } = await withPublisher()
    const heard = world.listen(feedbackTrack('other', 'a'))
    const wrong = world.listen({ ...feedbackTrack('r', 'a'), name: new TextEncoder().encode('x') })
    await world.pass(1500)
    expect(heard.rejected).toHaveLength(1)
    expect(wrong.rejected).toHaveLength(1)
  })

  it('for somebody who never comes is forgotten when nobody waits for it', async () => {
    const { world } = await withPublisher()
    const heard = world.listen(feedbackTrack('r', 'ghost'))
    await world.pass(200)
    expect(heard.rejected).toEqual([])
    heard.subscription.unsubscribe()
    await world.pass(20_000)
    expect(heard.objects).toEqual([])
  })
})

describe('speakers of a room', () => {
  it('are told when they change, and to whoever comes later at once', async () => {
    const { world } = await withPublisher()
    const heard = world.listen(speakersTrack('r'))
    await world.pass(300)
    expect(decodeSpeakers(heard.newest.payload)).toEqual([])
    world.speak('r', 'a')
    await world.pass(400)
    expect(decodeSpeakers(heard.newest.payload)).toEqual([{ participant: 'a', speaking: true }])
    const count = heard.objects.length
    await world.pass(300)
    expect(heard.objects).toHaveLength(count)
    const late = world.listen(speakersTrack('r'))
    await world.settle()
    expect(decodeSpeakers(late.newest.payload)).toEqual([{ participant: 'a', speaking: true }])
  })
})

describe('who may have it', () => {
  it('is who is in the room; nobody else may publish it', () => {
    const permissions = permissionsOf('r', 'a')
    expect(maySubscribe(permissions, feedbackTrack('r', 'a'))).toBe(true)
    expect(maySubscribe(permissions, speakersTrack('r'))).toBe(true)
    expect(maySubscribe(permissions, speakersTrack('other'))).toBe(false)
    expect(mayPublishNamespace(permissions, relayNamespace('r'))).toBe(false)
  })
})

describe('the feedback endpoint', () => {
  it('publishes for a room while somebody is there, and then keeps no timer', async () => {
    const { world, publisher } = await withPublisher()
    const spaces = () => world.relay.publishedNamespaces().map(formatNamespace)
    expect(spaces()).toContain('sotto-r-.2erelay')
    expect(world.endpoint.roomCount).toBe(1)
    publisher.withdraw()
    await world.settle()
    expect(spaces()).not.toContain('sotto-r-.2erelay')
    expect(world.endpoint.roomCount).toBe(0)
    expect(world.rejected).toEqual([])
  })

  it('stops with its session', async () => {
    const { world } = await withPublisher()
    world.listen(speakersTrack('r'))
    await world.settle()
    world.endpoint.close()
    await world.settle()
    expect(world.endpoint.roomCount).toBe(0)
    expect(world.closedFor).not.toBeNull()
    await world.pass(500)
  })
})
