import { FeedbackLink } from '../../../client-lib/call/worker/feedback-link.ts'
import { limitsOf } from '../../../client-lib/media/renditions.ts'
import { UplinkController } from '../../../client-lib/media/uplink-controller.ts'
import type { Session } from '../../../moq/session/index.ts'
import type { SentTrack } from './sent-track.ts'
import type { World } from './world.ts'

export interface UplinkOptions {
  readonly session: Session
  readonly room: string
  readonly participant: string
  /** Of all tracks; those of the camera are what the feedback is followed with. */
  readonly tracks: readonly SentTrack[]
  readonly world: Pick<World, 'clock'>
}

/** What sound and state take, bits a second. */
const RESERVED_BITRATE = 60_000

/**
 * Follows the relay's feedback as the browser library does: what of its camera a participant sends, and
 * with how many bits. A relay that gives none is sent everything that is subscribed to.
 */
export class Uplink {
  private readonly link: FeedbackLink

  constructor({ session, room, participant, tracks, world: { clock } }: UplinkOptions) {
    const cameras = tracks.flatMap((track) =>
      track.spec.kind === 'video' ? [{ track, spec: track.spec }] : [],
    )
    const controller = new UplinkController(
      {
        renditions: cameras.map(({ spec }) => limitsOf(spec.name, { codec: 'vp8', ...spec })),
        reserved: RESERVED_BITRATE,
        onPlan: (plans) => {
          for (const [at, { track }] of cameras.entries()) track.follow(plans[at]!)
        },
        onKeyFrameWanted: (name) =>
          cameras.find(({ spec }) => spec.name === name)?.track.requestKeyFrame(),
      },
      clock.now(),
    )
    this.link = new FeedbackLink({
      session,
      room,
      participantId: participant,
      clock,
      onFeedback: (feedback) => controller.onFeedback(feedback, clock.now()),
    })
  }

  close(): void {
    this.link.close()
  }
}
