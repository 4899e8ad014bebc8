/**
 * What should have arrived and did not: each track that was watched is set against what its publisher
 * wrote down. Expected is what was sent after the watcher got its first object of the track, so that
 * neither joining nor waiting for a key frame counts as a loss.
 */

import { Phases } from '../figures/phases.ts'
import type { SentTrackData } from '../figures/sent-ledger.ts'
import { CLASS_INDEX, OBJECT_CLASSES } from '../media/object-class.ts'
import type { ParticipantData } from '../participant/participant.ts'
import type { ReceivedTrackData } from '../participant/received-track.ts'
import type { RunRecord } from '../run.ts'

/** Objects by class, see `CLASS_INDEX`. */
export interface Shortfall {
  readonly expected: number[]
  readonly lost: number[]
  /**
   * Of pictures that the relay chooses from, for those who report to it: what it left out cannot be
   * told from what was lost.
   */
  readonly withheld: number[]
}

/** Time in which a watcher of a track that is sent gets something, ms. */
const FIRST_OBJECT_MS = 2000
/** Before a watcher or a publisher leaves, what is sent may not arrive any more, ms. */
const LEAVING_MS = 500
const FOR_EVER = Number.POSITIVE_INFINITY

/** By label, one a phase. */
export function shortfalls(record: RunRecord): Map<string, Shortfall[]> {
  const phases = new Phases(record.from, record.plan.phases)
  const ledgers = ledgersOf(record)
  const found = new Map<string, Shortfall[]>()
  const leavings = leavingsOf(record)
  for (const participant of participantsOf(record)) {
    if (participant.received.length === 0) continue
    let ofLabel = found.get(participant.label)
    if (!ofLabel) {
      ofLabel = Array.from({ length: phases.count }, noShortfall)
      found.set(participant.label, ofLabel)
    }
    for (const track of participant.received) {
      const ledger = ledgers.get(keyOf(participant.room, track.publisher, track.track))
      const until = leavings.get(nameOf(participant.room, track.publisher)) ?? FOR_EVER
      if (ledger) enter(ofLabel, phases, participant, track, { ...ledger, until })
    }
  }
  return found
}

export function noShortfall(): Shortfall {
  const zeros = () => OBJECT_CLASSES.map(() => 0)
  return { expected: zeros(), lost: zeros(), withheld: zeros() }
}

export function addShortfall(to: Shortfall, from: Shortfall): void {
  for (const index of OBJECT_CLASSES.keys()) {
    to.expected[index]! += from.expected[index]!
    to.lost[index]! += from.lost[index]!
    to.withheld[index]! += from.withheld[index]!
  }
}

function enter(
  ofLabel: readonly Shortfall[],
  phases: Phases,
  { managed, leftAt }: ParticipantData,
  { firstAt, watchedAt, received }: ReceivedTrackData,
  ledger: SentTrackData & { readonly until: number },
): void {
  const from = firstAt ?? watchedAt + FIRST_OBJECT_MS
  const until = Math.min(ledger.until, leftAt ?? FOR_EVER) - LEAVING_MS
  const expected = expectedOf(ledger, phases, from, until)
  for (const [phase, counts] of expected.entries()) {
    const shortfall = ofLabel[phase]!
    for (const [index, count] of counts.entries()) {
      shortfall.expected[index]! += count
      const missing = Math.max(0, count - received[phase]![index]!)
      const chosen = managed && index !== CLASS_INDEX.audio
      const into = chosen ? shortfall.withheld : shortfall.lost
      into[index]! += missing
    }
  }
}

/** By phase, then by class. */
function expectedOf(
  { sentAt, classes }: SentTrackData,
  phases: Phases,
  from: number,
  until: number,
): number[][] {
  const counts = Array.from({ length: phases.count }, () => OBJECT_CLASSES.map(() => 0))
  for (const [index, time] of sentAt.entries()) {
    if (time < from || time >= until) continue
    const phase = phases.at(time)
    if (phase >= 0) counts[phase]![classes[index]!]!++
  }
  return counts
}

/** Whether the bytes that arrived are those that were sent. */
export interface ByteComparison {
  readonly compared: number
  readonly different: number
}

/** Null where the plan does not ask for it. */
export function compareBytes(record: RunRecord): ByteComparison | null {
  if (!record.plan.compareBytes) return null
  const sums = new Map<SentTrackData, Map<string, number>>()
  const ledgers = ledgersOf(record)
  let [compared, different] = [0, 0]
  for (const participant of participantsOf(record)) {
    for (const { publisher, track, checksums } of participant.received) {
      const ledger = ledgers.get(keyOf(participant.room, publisher, track))
      if (!ledger) continue
      const sent = sums.get(ledger) ?? checksumsOf(ledger)
      sums.set(ledger, sent)
      for (let i = 0; i + 2 < checksums.length; i += 3) {
        compared++
        if (sent.get(`${checksums[i]} ${checksums[i + 1]}`) !== checksums[i + 2]) different++
      }
    }
  }
  return { compared, different }
}

function checksumsOf({ groups, objects, checksums }: SentTrackData): Map<string, number> {
  const sent = new Map<string, number>()
  for (const [index, checksum] of checksums.entries()) {
    sent.set(`${groups[index]} ${objects[index]}`, checksum)
  }
  return sent
}

function participantsOf({ workers }: RunRecord): ParticipantData[] {
  return workers.flatMap(({ participants }) => participants)
}

function ledgersOf(record: RunRecord): Map<string, SentTrackData> {
  const ledgers = participantsOf(record).flatMap(({ sent }) => sent)
  return new Map(
    ledgers.map((ledger) => [keyOf(ledger.room, ledger.participant, ledger.track), ledger]),
  )
}

/** When publishers left, ms of the machine's clock; those who stayed are not there. */
function leavingsOf(record: RunRecord): Map<string, number> {
  const leavings = participantsOf(record).flatMap(({ room, id, leftAt }) =>
    leftAt === null ? [] : [[nameOf(room, id), leftAt] as const],
  )
  return new Map(leavings)
}

function nameOf(room: string, participant: string): string {
  return JSON.stringify([room, participant])
}

function keyOf(room: string, participant: string, track: string): string {
  return JSON.stringify([room, participant, track])
}
