import { describe, expect, it } from 'vitest'
import {
  type Arrivals,
  decodeReceiverReport,
  participantNamespace,
  REPORT_TRACK,
  type ReceiverReport,
  type Wish,
} from '../../../moq/media/index.ts'
import { TestLink } from '../../../moq/session/test-pair.ts'
import { trackOf } from '../../../moq/wire/names.ts'
import { ANY_SIZE, wishOf } from '../participant-view.ts'
import { ReceiverReports } from './receiver-reports.ts'

const TRACK = trackOf(participantNamespace('room', 'bob'), REPORT_TRACK)

/** A client (server side of the link) whose relay may follow its reports. */
async function world(datagrams = true) {
  const link = new TestLink(datagrams ? {} : { maxDatagramSize: 0 })
  let wishes: Wish[] = [wishOf('ann', 'camera', { ...ANY_SIZE, width: 640, height: 384 })]
  const demands: boolean[] = []
  const asked: number[] = []
  const measured = { bytes: 1000, received: 10, lost: 1, queueMs: 5 }
  const reports = new ReceiverReports({
    trackAlias: 34,
    clock: link.clock,
    wallClock: () => link.clock.now(),
    wishes: () => wishes,
    arrivals: (intervalMs): Arrivals => {
      asked.push(intervalMs)
      return { intervalMs, ...measured }
    },
    onDemand: (wanted) => demands.push(wanted),
  })
  link.session('server', { onSubscribe: (request) => reports.accept(request) })
  const relay = link.session('client', {})
  await link.settle()
  const received: ReceiverReport[] = []
  const follow = async () => {
    const subscription = relay.subscribe(
      TRACK,
      {},
      { onObject: ({ payload }) => received.push(decodeReceiverReport(payload)) },
    )
    await link.settle()
    return subscription
  }
  /** Those of the sessions. */
  const timers = link.clock.timers
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 10) {
      link.clock.advance(10)
      await link.settle()
    }
  }
  const show = (next: Wish[]) => {
    wishes = next
    reports.wishesChanged()
  }
  return { link, timers, reports, follow, pass, show, received, demands, asked, measured }
}

describe('reports of a receiver', () => {
  it('cost nothing while no relay follows them', async () => {
    const { link, timers, reports, pass, show, asked, demands } = await world()
    show([])
    await pass(5000)
    expect(asked).toEqual([])
    expect(demands).toEqual([])
    expect(reports.wanted).toBe(false)
    expect(link.clock.timers).toBe(timers)
  })

  it.each([
    true,
    false,
  ])('tell of the wishes at once, and of arrivals five times a second, with datagrams: %s', async (datagrams) => {
    const { follow, pass, received, demands } = await world(datagrams)
    await follow()
    expect(received).toEqual([
      { arrivals: null, wishes: [expect.objectContaining({ participant: 'ann', width: 640 })] },
    ])
    expect(demands).toEqual([true])
    await pass(1000)
    expect(received.slice(1)).toEqual(
      Array.from({ length: 5 }, () => ({
        arrivals: { intervalMs: 200, bytes: 1000, received: 10, lost: 1, queueMs: 5 },
        wishes: null,
      })),
    )
  })

  it('state whole numbers within their bounds, whatever was measured', async () => {
    const { link, follow, pass, received, measured } = await world()
    await follow()
    Object.assign(measured, { queueMs: 818.36, lost: -2 })
    await pass(200)
    expect(received.at(-1)!.arrivals).toMatchObject({ queueMs: 818, lost: 0 })
    measured.queueMs = 1e9
    // The machine slept.
    link.clock.advance(123_456.7)
    await link.settle()
    await pass(200)
    expect(received.at(-1)!.arrivals).toMatchObject({ queueMs: 60_000 })
  })

  it('tell of wishes again every two seconds, and once when several change together', async () => {
    const { follow, pass, show, received } = await world()
    await follow()
    const wishes = () => received.filter((report) => report.wishes !== null)
    for (let size = 64; size <= 640; size += 64) {
      show([wishOf('ann', 'camera', { ...ANY_SIZE, width: size, height: size })])
    }
    await pass(40)
    expect(wishes().map((report) => report.wishes![0]!.width)).toEqual([640, 640])
    await pass(2200)
    expect(wishes()).toHaveLength(3)
  })

  it('end when the relay does not follow them any more, and begin again', async () => {
    const { link, timers, follow, pass, show, received, demands } = await world()
    const subscription = await follow()
    show([])
    subscription.unsubscribe()
    await link.settle()
    const before = received.length
    await pass(1000)
    expect(received).toHaveLength(before)
    expect(link.clock.timers).toBe(timers)
    await follow()
    expect(received).toHaveLength(before + 1)
    expect(demands).toEqual([true, false, true])
  })
})
