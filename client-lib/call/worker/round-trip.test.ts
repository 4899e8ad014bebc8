import { describe, expect, it } from 'vitest'
import { speakersTrack } from '../../../moq/media/index.ts'
import type { IncomingTrackStatus } from '../../../moq/session/index.ts'
import { TestLink } from '../../../moq/session/test-pair.ts'
import type { Congestion } from '../../../moq/transport/transport.ts'
import { RoundTrip } from './round-trip.ts'

async function world(congestion: Congestion | null = null) {
  const link = new TestLink({ congestion: () => congestion })
  const questions: IncomingTrackStatus[] = []
  link.session('server', { onTrackStatus: (question) => questions.push(question) })
  const session = link.session('client', {})
  await link.settle()
  const roundTrip = new RoundTrip({ session, clock: link.clock, track: speakersTrack('room') })
  await link.settle()
  const pass = async (ms: number) => {
    link.clock.advance(ms)
    await link.settle()
  }
  return { link, questions, roundTrip, pass }
}

describe('the round trip to the relay', () => {
  it('is measured by what the relay answers, be it with an error, and smoothed', async () => {
    const { questions, roundTrip, pass } = await world()
    expect(roundTrip.ms).toBe(Number.POSITIVE_INFINITY)
    await pass(40)
    questions[0]!.accept({ largest: null, properties: [] })
    await pass(0)
    expect(roundTrip.ms).toBe(40)
    await pass(4960)
    expect(questions).toHaveLength(2)
    await pass(120)
    questions[1]!.reject(0x10, 'no such track')
    await pass(0)
    expect(roundTrip.ms).toBe(50)
  })

  it('is not taken from an answer that does not come', async () => {
    const { questions, roundTrip, pass } = await world()
    await pass(5000)
    await pass(5000)
    expect(questions).toHaveLength(3)
    expect(roundTrip.ms).toBe(Number.POSITIVE_INFINITY)
  })

  it('is what the transport says, where it says anything', async () => {
    const { roundTrip } = await world({
      rttMs: 33,
      congestionWindow: 1,
      bytesInFlight: null,
      deliveryRate: 1,
      lostPackets: 0,
    })
    expect(roundTrip.ms).toBe(33)
  })

  it('is not asked for any more once it is closed', async () => {
    const { questions, roundTrip, pass } = await world()
    roundTrip.close()
    await pass(20_000)
    expect(questions).toHaveLength(1)
  })
})
