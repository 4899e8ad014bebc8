import { describe, expect, it } from 'vitest'
import { MigratingSubscription } from '../../moq/session/index.ts'
import { namespaceOf, trackOf } from '../../moq/wire/names.ts'
import { ManualPublisher } from './test-peers.ts'
import { RelayWorld } from './test-world.ts'

const news = namespaceOf('live', 'news')
const video = trackOf(news, 'video')

describe('a subscriber that changes its session (section 9.4.1)', () => {
  it('loses and repeats nothing, in the middle of a group too', async () => {
    const world = new RelayWorld()
    const publisher = new ManualPublisher(world)
    await world.settle()
    const track = publisher.publish(video)
    const [old, next] = [world.client({}), world.client({})]
    await world.settle()
    const objects: string[] = []
    const migrating = new MigratingSubscription(
      old,
      video,
      {},
      { onObject: (object) => objects.push(`${object.group}/${object.object}`) },
      { clock: world.clock },
    )
    await world.settle()
    const stream = track.stream(0, 0)
    stream.object(0).object(1)
    await world.settle()
    migrating.moveTo(next)
    stream.object(2)
    await world.settle()
    stream.object(3)
    await world.settle()
    world.clock.advance(2000)
    await world.settle()
    old.close(0, 'moved')
    await world.settle()
    stream.object(4).fin()
    track.stream(1, 0).object(0).fin()
    await world.settle()
    expect([...objects].sort()).toEqual(['0/0', '0/1', '0/2', '0/3', '0/4', '1/0'])
    expect(world.relay.subscriptionCount).toBe(1)
  })

  it('fetches from the relay what went by while it had no session', async () => {
    const world = new RelayWorld()
    const publisher = new ManualPublisher(world)
    await world.settle()
    const track = publisher.publish(video)
    const [old, other] = [world.client({}), world.client({})]
    await world.settle()
    const objects: string[] = []
    const migrating = new MigratingSubscription(
      old,
      video,
      {},
      { onObject: (object) => objects.push(`${object.group}/${object.object}`) },
      { clock: world.clock },
    )
    // Somebody else keeps the track alive meanwhile.
    other.subscribe(video, {}, { onObject: () => {} })
    await world.settle()
    const stream = track.stream(0, 0)
    stream.object(0)
    await world.settle()
    old.close(0, 'the network went')
    await world.settle()
    stream.object(1).object(2)
    await world.settle()
    migrating.moveTo(world.client({}))
    await world.settle()
    stream.object(3).fin()
    await world.settle()
    expect([...objects].sort()).toEqual(['0/0', '0/1', '0/2', '0/3'])
  })
})
