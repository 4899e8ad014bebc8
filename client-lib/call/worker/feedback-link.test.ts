import { describe, expect, it } from 'vitest'
import {
  encodePublisherFeedback,
  feedbackTrack,
  type PublisherFeedback,
} from '../../../moq/media/index.ts'
import { TrackPublisher } from '../../../moq/session/index.ts'
import { TestLink } from '../../../moq/session/test-pair.ts'
import { RequestCode } from '../../../moq/wire/codes.ts'
import { formatNamespace, textOf } from '../../../moq/wire/names.ts'
import { FeedbackLink } from './feedback-link.ts'

const NONE = new Uint8Array(0)
const feedback = (bitrate: number): PublisherFeedback => ({ bitrate, estimate: null, tracks: [] })

async function world(hasTrack = true) {
  const link = new TestLink()
  const asked: string[] = []
  const heard: number[] = []
  let publisher = new TrackPublisher({ trackAlias: 1, priority: 0 })
  link.session('server', {
    onSubscribe: (request) => {
      const { namespace, name } = request.track
      asked.push(`${formatNamespace(namespace)} ${textOf(name)}`)
      if (hasTrack) publisher.accept(request)
      else request.reject(RequestCode.DOES_NOT_EXIST, 'no such track')
    },
  })
  const session = link.session('client', {})
  await link.settle()
  const follower = new FeedbackLink({
    session,
    room: 'r',
    participantId: 'ann',
    clock: link.clock,
    onFeedback: ({ bitrate }) => heard.push(bitrate),
  })
  await link.settle()
  const send = async (group: number, payload: Uint8Array) => {
    publisher.writeDatagram({ group, object: 0, properties: NONE, payload })
    await link.settle()
  }
  const pass = async (ms: number) => {
    for (let left = ms; left > 0; left -= 500) {
      link.clock.advance(500)
      await link.settle()
    }
  }
  const restart = async () => {
    publisher.done(0, 'the relay restarts')
    publisher = new TrackPublisher({ trackAlias: 2, priority: 0 })
    await pass(3000)
  }
  return { asked, heard, follower, send, pass, restart }
}

describe('the feedback of a relay', () => {
  it('is taken from the track that bears our name, the newest group alone', async () => {
    const { asked, heard, send } = await world()
    const { namespace, name } = feedbackTrack('r', 'ann')
    expect(asked).toEqual([`${formatNamespace(namespace)} ${textOf(name)}`])
    await send(5, encodePublisherFeedback(feedback(500)))
    await send(4, encodePublisherFeedback(feedback(400)))
    await send(5, encodePublisherFeedback(feedback(500)))
    await send(7, encodePublisherFeedback(feedback(700)))
    expect(heard).toEqual([500, 700])
  })

  it('is left out when it is none, and what comes after it is taken', async () => {
    const { heard, send } = await world()
    await send(1, Uint8Array.of(255, 255, 255))
    await send(2, new Uint8Array(0))
    await send(3, encodePublisherFeedback(feedback(300)).subarray(1))
    await send(9, new Uint8Array(40_000))
    await send(4, encodePublisherFeedback(feedback(400)))
    expect(heard).toEqual([400])
  })

  it('is asked for again when it ends, and its groups may count anew', async () => {
    const { heard, send, restart } = await world()
    await send(50, encodePublisherFeedback(feedback(500)))
    await restart()
    await send(3, encodePublisherFeedback(feedback(300)))
    expect(heard).toEqual([500, 300])
  })

  it('is asked for ever more rarely where the relay has none', async () => {
    const { asked, pass } = await world(false)
    await pass(10_000)
    expect(asked).toHaveLength(3)
    await pass(600_000)
    expect(asked.length).toBeLessThan(18)
    const before = asked.length
    await pass(60_000)
    expect(asked.length).toBe(before + 1)
  })

  it('is no more asked for when the call ends', async () => {
    const { asked, heard, follower, send, pass } = await world()
    follower.close()
    await send(1, encodePublisherFeedback(feedback(100)))
    await pass(60_000)
    expect(heard).toEqual([])
    expect(asked).toHaveLength(1)
  })
})
