import { Histogram } from '../figures/histogram.ts'
import { ReceiverFigures } from '../figures/receiver-figures.ts'
import type { Stalls } from '../figures/stall-watch.ts'
import { CLASS_INDEX, OBJECT_CLASSES, type ObjectClass } from '../media/object-class.ts'
import { measuredMs } from '../plan.ts'
import type { RunRecord } from '../run.ts'
import { generatorFigures } from '../saturation.ts'
import { epochChanges } from './epoch-figures.ts'
import type { ClassCounts, LoadFigures, Spread } from './figures.ts'
import { relayFigures } from './relay-figures.ts'
import {
  addShortfall,
  type ByteComparison,
  compareBytes,
  noShortfall,
  type Shortfall,
  shortfalls,
} from './shortfall.ts'

/** The figures of runs, added up over everybody who took part. */
export function loadFigures(records: readonly RunRecord[]): LoadFigures {
  const durationS = records.reduce((sum, { plan }) => sum + measuredMs(plan), 0) / 1000
  const received = new ReceiverFigures()
  const short = noShortfall()
  const sent = new SentTotals()
  for (const record of records) {
    for (const { labels } of record.workers) {
      for (const { phases } of labels) for (const phase of phases) received.add(phase)
    }
    for (const phases of shortfalls(record).values()) {
      for (const phase of phases) addShortfall(short, phase)
    }
    sent.add(record)
  }
  const classes = classCounts(received, short, sent)
  const sum = (of: (counts: ClassCounts) => number) =>
    Object.values(classes).reduce((total, counts) => total + of(counts), 0)
  const receivedBytes = sum((counts) => counts.receivedBytes)
  const receivedObjects = sum((counts) => counts.received)
  const participants = records.flatMap(({ workers }) => workers.flatMap((w) => w.participants))
  const { audioGaps, freezes, undecryptable } = received.toData()
  const relay = relayFigures(records, receivedObjects, receivedBytes)
  const changes = epochChanges(records)
  return {
    durationS,
    participants: {
      planned: participants.length,
      joined: participants.filter(({ joinedAt }) => joinedAt !== null).length,
    },
    objects: {
      sent: sum((counts) => counts.sent),
      expected: sum((counts) => counts.expected),
      received: receivedObjects,
      lost: sum((counts) => counts.lost),
      withheld: sum((counts) => counts.withheld),
      late: sum((counts) => counts.late),
      duplicate: sum((counts) => counts.duplicate),
      forwarded: relay?.forwarded ?? null,
      undecryptable,
      refused: sent.refused,
    },
    bytes: { sent: sum((counts) => counts.sentBytes), received: receivedBytes },
    classes,
    objectsPerSecond: round(receivedObjects / durationS, 1),
    megabitsPerSecond: round((receivedBytes * 8) / durationS / 1e6, 3),
    packetsPerSecond: packetsPerSecond(records, durationS),
    latencyMs: latencies(received),
    joinMs: spreadOfTimes(participants.map(({ joinMs }) => joinMs)),
    keysMs: spreadOfTimes(participants.map(({ keysMs }) => keysMs)),
    firstObjectMs: spreadOfTimes(participants.map(({ firstObjectMs }) => firstObjectMs)),
    firstPictureMs: spreadOfTimes(participants.map(({ firstPictureMs }) => firstPictureMs)),
    audioGaps: roundStalls(audioGaps),
    freezes: roundStalls(freezes),
    bytesIdentical: comparisonOf(records),
    epochChanges: changes && { count: changes.count, ms: spreadOfTimes(changes.lags) },
    relay,
    generator: worstGenerator(records),
  }
}

/** What publishers sent while it was measured, by class. */
class SentTotals {
  readonly objects = OBJECT_CLASSES.map(() => 0)
  readonly bytes = OBJECT_CLASSES.map(() => 0)
  refused = 0

  add({ workers, from, to }: RunRecord): void {
    const ledgers = workers.flatMap(({ participants }) => participants.flatMap(({ sent }) => sent))
    for (const { sentAt, classes, bytes, refused } of ledgers) {
      this.refused += refused
      for (const [index, time] of sentAt.entries()) {
        if (time < from || time >= to) continue
        this.objects[classes[index]!]!++
        this.bytes[classes[index]!]! += bytes[index]!
      }
    }
  }
}

const NOTHING_SENT = new SentTotals()

/** Only classes that were sent or came. */
export function classCounts(
  received: ReceiverFigures,
  { expected, lost, withheld }: Shortfall,
  sent: Pick<SentTotals, 'objects' | 'bytes'> = NOTHING_SENT,
): Partial<Record<ObjectClass, ClassCounts>> {
  const counts: Partial<Record<ObjectClass, ClassCounts>> = {}
  for (const name of OBJECT_CLASSES) {
    const index = CLASS_INDEX[name]
    const got = received.of(name)
    if (sent.objects[index] === 0 && expected[index] === 0 && got.received === 0) continue
    counts[name] = {
      sent: sent.objects[index]!,
      sentBytes: sent.bytes[index]!,
      expected: expected[index]!,
      received: got.received,
      receivedBytes: got.bytes,
      lost: lost[index]!,
      withheld: withheld[index]!,
      late: got.late,
      duplicate: got.duplicate,
    }
  }
  return counts
}

/** Only classes that came. */
export function latencies(received: ReceiverFigures): Partial<Record<ObjectClass, Spread>> {
  const spreads: Partial<Record<ObjectClass, Spread>> = {}
  for (const name of OBJECT_CLASSES) {
    const { latency } = received.of(name)
    if (latency.count > 0) spreads[name] = spreadOf(latency)
  }
  return spreads
}

function spreadOf(histogram: Histogram): Spread {
  const at = (share: number) => {
    const ms = histogram.percentile(share)
    return ms === null ? null : round(ms, 2)
  }
  const max = histogram.count === 0 ? null : round(histogram.max, 2)
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), max }
}

function spreadOfTimes(times: readonly (number | null)[]): Spread {
  const histogram = new Histogram()
  for (const time of times) if (time !== null) histogram.record(time)
  return spreadOf(histogram)
}

function packetsPerSecond(records: readonly RunRecord[], durationS: number): number | null {
  let packets = 0
  for (const { udpPackets } of records) {
    if (udpPackets === null) return null
    packets += udpPackets
  }
  return Math.round(packets / durationS)
}

function comparisonOf(records: readonly RunRecord[]): ByteComparison | null {
  const compared = records.map(compareBytes).filter((comparison) => comparison !== null)
  if (compared.length === 0) return null
  return {
    compared: compared.reduce((sum, each) => sum + each.compared, 0),
    different: compared.reduce((sum, each) => sum + each.different, 0),
  }
}

function worstGenerator(records: readonly RunRecord[]): LoadFigures['generator'] {
  const all = records.map(({ workers, machineBusy }) => generatorFigures(workers, machineBusy))
  const worst = (of: (figures: LoadFigures['generator']) => number) => Math.max(0, ...all.map(of))
  return {
    workers: worst(({ workers }) => workers),
    cpuCores: round(
      worst(({ cpuCores }) => cpuCores),
      3,
    ),
    lagMsP99: round(
      worst(({ lagMsP99 }) => lagMsP99),
      2,
    ),
    lateTicks: round(
      worst(({ lateTicks }) => lateTicks),
      4,
    ),
    rssBytesPerParticipant: worst(({ rssBytesPerParticipant }) => rssBytesPerParticipant),
    machineBusy: round(
      worst(({ machineBusy }) => machineBusy),
      3,
    ),
  }
}

export function roundStalls({ count, totalMs, longestMs }: Stalls): Stalls {
  return { count, totalMs: round(totalMs, 1), longestMs: round(longestMs, 1) }
}

export function round(value: number, digits: number): number {
  return Math.round(value * 10 ** digits) / 10 ** digits
}
