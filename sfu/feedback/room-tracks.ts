import {
  encodePublisherFeedback,
  encodeSpeakers,
  feedbackTrackName,
  MAX_SPEAKERS,
  parseFeedbackTrackName,
  relayNamespace,
  SPEAKERS_TRACK,
  type Speaker,
} from '../../moq/media/index.ts'
import { type NamespacePublication, type Session, TrackPublisher } from '../../moq/session/index.ts'
import { DoneCode } from '../../moq/wire/codes.ts'
import type { RequestError } from '../../moq/wire/messages.ts'
import type { FeedbackMeter } from './meter.ts'

export interface RoomTracksOptions {
  readonly room: string
  readonly session: Session
  readonly nextAlias: () => number
  /**
   * ms since the Unix epoch, from which groups are numbered: those of a track that is made anew are
   * larger, since there are far fewer than one a millisecond.
   */
  readonly wallClock: () => number
  readonly speakers: () => readonly Speaker[]
  readonly meter: (participant: string) => FeedbackMeter | null
  readonly now: () => number
  readonly onRejected: (error: RequestError) => void
}

/** Before media: it is little, and old feedback is none. */
const PRIORITY = 16
/** What surely fits a datagram on every path. */
const MOST_DATAGRAM_BYTES = 1000
const NO_PROPERTIES = new Uint8Array(0)

interface FeedbackTrack {
  readonly publisher: TrackPublisher
  group: number
}

/**
 * What the relay publishes for one room. Of feedback only the newest matters: a group of one datagram
 * each, of which the next one makes good a loss. The speakers change seldom and have to arrive: a group
 * of one object on a stream each. Whoever comes late asks for a new group (draft-18 section 10.2.13).
 */
export class RoomTracks {
  /** Who publishes in the room. */
  readonly participants = new Set<string>()
  private readonly options: RoomTracksOptions
  private readonly publication: NamespacePublication
  private readonly speakers: TrackPublisher
  private readonly feedback = new Map<string, FeedbackTrack>()
  private speakersGroup: number

  constructor(options: RoomTracksOptions) {
    const { room, session, nextAlias, wallClock, onRejected } = options
    this.options = options
    this.publication = session.publishNamespace(relayNamespace(room), { onRejected })
    this.speakersGroup = wallClock()
    this.speakers = new TrackPublisher({
      trackAlias: nextAlias(),
      priority: PRIORITY,
      onGroupRequested: () => this.publishSpeakers(),
      onDemand: (wanted) => {
        if (wanted) this.publishSpeakers()
      },
    })
  }

  /** The track of that name; null: there is none. @param wanted it may be made for a subscriber */
  track(name: string | null, wanted: boolean): TrackPublisher | null {
    if (name === null) return null
    if (name === SPEAKERS_TRACK) return this.speakers
    const participant = parseFeedbackTrackName(name)
    if (participant === null) return null
    const known = this.feedback.get(participant)
    if (known) return known.publisher
    return wanted || this.participants.has(participant) ? this.addFeedback(participant) : null
  }

  publishSpeakers(): void {
    const speakers = this.options.speakers().slice(0, MAX_SPEAKERS)
    this.speakers.writeSnapshot(this.speakersGroup++, NO_PROPERTIES, encodeSpeakers(speakers))
  }

  /** Publishes the feedback that is due and wanted. */
  publishFeedback(now: number): void {
    for (const [participant, track] of this.feedback) {
      const meter = track.publisher.wanted ? this.options.meter(participant) : null
      if (meter?.due(now)) publishMeter(track, meter, now)
    }
  }

  /** A participant is gone, and so is its feedback. */
  leave(participant: string): void {
    this.participants.delete(participant)
    this.drop(participant)
  }

  /** Forgets the tracks of participants who never came, once nobody wants them. */
  sweep(): void {
    for (const [participant, { publisher }] of this.feedback) {
      if (!publisher.wanted && !this.participants.has(participant)) this.drop(participant)
    }
  }

  /** Nobody is in the room any more. */
  close(): void {
    this.publication.withdraw()
    this.speakers.done(DoneCode.TRACK_ENDED, 'the room is over')
    for (const participant of [...this.feedback.keys()]) this.drop(participant)
  }

  private addFeedback(participant: string): TrackPublisher {
    const publish = () => {
      const { meter, now } = this.options
      const source = meter(participant)
      if (source) publishMeter(track, source, now())
    }
    const track: FeedbackTrack = {
      group: this.options.wallClock(),
      publisher: new TrackPublisher({
        trackAlias: this.options.nextAlias(),
        priority: PRIORITY,
        onGroupRequested: publish,
      }),
    }
    this.feedback.set(participant, track)
    return track.publisher
  }

  private drop(participant: string): void {
    const reason = `no ${feedbackTrackName(participant)} any more: the participant is gone`
    this.feedback.get(participant)?.publisher.done(DoneCode.TRACK_ENDED, reason)
    this.feedback.delete(participant)
  }
}

function publishMeter(track: FeedbackTrack, meter: FeedbackMeter, now: number): void {
  const payload = encodePublisherFeedback(meter.compose(now))
  const group = track.group++
  if (payload.length > MOST_DATAGRAM_BYTES) {
    track.publisher.writeSnapshot(group, NO_PROPERTIES, payload)
    return
  }
  track.publisher.writeDatagram({ group, object: 0, properties: NO_PROPERTIES, payload })
  track.publisher.endGroupsBefore(group + 1)
}
