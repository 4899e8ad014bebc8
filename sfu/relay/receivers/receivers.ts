import { parseParticipantNamespace } from '../../../moq/media/names.ts'
import type { ReceiverReport } from '../../../moq/media/receiver-report.ts'
import type { Clock, Session } from '../../../moq/session/index.ts'
import { formatNamespace, type Namespace } from '../../../moq/wire/names.ts'
import type { Speakers } from '../../speaker/index.ts'
import type { Member } from './member.ts'
import type { SelectionCounters } from './picture-set.ts'
import { type PathBudget, Receiver } from './receiver.ts'
import { ReportReader } from './report-reader.ts'

/** A session, as far as it is a receiver. */
export interface ReceiverPeer {
  readonly session: Session
  /** Null: its path bears everything. */
  readonly path: { readonly budget: PathBudget } | null
  /** Null while it leaves no choice to the relay; else its `update` is called some 20 times a second. */
  receiver: Receiver | null
}

/** What of reports is counted; plain numbers. */
export interface ReportTally {
  /** Reports that were none. */
  malformedReports: number
}

export interface ReceiversOptions<Peer extends ReceiverPeer> {
  readonly clock: Clock
  readonly counters: SelectionCounters
  readonly tally: ReportTally
  readonly speakers: Speakers
  /** Reports of one session that are read, a second. */
  readonly maxReports: number
  /** Cameras that a receiver is shown at most. */
  readonly lastN: number
  /** The session's subscriptions in a room, and those to sound and pictures elsewhere. */
  readonly subscriptionsOf: (peer: Peer) => Iterable<Member>
  /** A session sent more reports than are read. */
  readonly onTooMany: () => void
}

interface Reading {
  /** The participant's namespace, formatted. */
  readonly namespace: string
  readonly reader: ReportReader
}

/** The receivers of all rooms: reads what sessions report, and has them choose in time. */
export class Receivers<Peer extends ReceiverPeer> {
  private readonly options: ReceiversOptions<Peer>
  /** One a session: the first participant that it publishes. */
  private readonly readings = new Map<Peer, Reading>()
  private readonly receivers = new Set<Receiver>()

  constructor(options: ReceiversOptions<Peer>) {
    this.options = options
  }

  /** Sessions for which the relay chooses. */
  get size(): number {
    return this.receivers.size
  }

  /** Sessions that were asked for reports. */
  get readerCount(): number {
    return this.readings.size
  }

  /** The session publishes a namespace: as a participant, it may have something to report. */
  onNamespace(peer: Peer, namespace: Namespace): void {
    const place = parseParticipantNamespace(namespace)
    if (!place || this.readings.has(peer) || peer.session.closed) return
    const { clock, tally, maxReports, onTooMany } = this.options
    const reader = new ReportReader({
      clock,
      session: peer.session,
      namespace,
      maxPerSecond: maxReports,
      onReport: (report) => this.onReport(peer, place, report),
      onTooMany,
      onMalformed: () => {
        tally.malformedReports++
      },
    })
    this.readings.set(peer, { namespace: formatNamespace(namespace), reader })
  }

  /** The session publishes the namespace no more; what it wished holds. */
  onWithdrawn(peer: Peer, namespace: Namespace): void {
    const reading = this.readings.get(peer)
    if (reading?.namespace !== formatNamespace(namespace)) return
    reading.reader.close()
    this.readings.delete(peer)
  }

  onClosed(peer: Peer): void {
    this.readings.delete(peer)
    this.end(peer)
  }

  /** Who speaks in the room changed. */
  onSpeakers(room: string): void {
    for (const receiver of this.receivers) if (receiver.room === room) receiver.onSpeakers()
  }

  // ----

  private onReport(
    peer: Peer,
    { room, participant }: { readonly room: string; readonly participant: string },
    report: ReceiverReport,
  ): void {
    const now = this.options.clock.now()
    if (peer.receiver && peer.receiver.room !== room) this.end(peer)
    if (peer.receiver) peer.receiver.onReport(report, now)
    else if (report.wishes) this.begin(peer, room, participant, report, now)
    else if (report.arrivals) peer.path?.budget.onReport(now, report.arrivals)
  }

  private begin(
    peer: Peer,
    room: string,
    participant: string,
    report: ReceiverReport,
    now: number,
  ): void {
    const { counters, speakers, lastN, subscriptionsOf } = this.options
    const receiver = new Receiver({
      room,
      participant,
      counters,
      lastN,
      budget: peer.path?.budget ?? null,
      speakers: () => speakers.of(room),
    })
    peer.receiver = receiver
    this.receivers.add(receiver)
    receiver.onReport(report, now)
    for (const subscription of subscriptionsOf(peer)) receiver.add(subscription)
    receiver.adopt(now)
    receiver.update(now)
  }

  private end(peer: Peer): void {
    const { receiver } = peer
    if (!receiver) return
    receiver.close()
    peer.receiver = null
    this.receivers.delete(receiver)
  }
}
