/** For tests (vitest): a participant that sends sound and a camera in three sizes, as the relay's feedback says. */

import { limitsOf, renditionsOf } from '../../client-lib/media/renditions.ts'
import { UplinkController } from '../../client-lib/media/uplink-controller.ts'
import {
  decodePublisherFeedback,
  feedbackTrack,
  participantNamespace,
  videoTrackName,
} from '../../moq/media/index.ts'
import { Session } from '../../moq/session/index.ts'
import { RequestCode } from '../../moq/wire/codes.ts'
import { textOf } from '../../moq/wire/names.ts'
import { FRAME_MS } from './encoder.ts'
import { AUDIO_FRAME_MS, SentPicture, SentSound } from './sent-track.ts'
import { type Access, type Connection, ROOM, type SimulatedWorld } from './world.ts'

/** As the browser library sends a camera of 720p, the smallest first. */
const RENDITIONS = renditionsOf({ width: 1280, height: 720, framerate: 30 })
const SOUND_BITRATE = 60_000

export interface PublisherOptions {
  readonly participant: string
  /** Index of its leaf in the group. */
  readonly leaf: number
  readonly access?: Access
  /** Its encoders follow the relay's feedback; else each makes all that it may. */
  readonly follows?: boolean
}

export class SimulatedPublisher {
  readonly participant: string
  readonly connection: Connection
  readonly sound: SentSound
  /** The smallest first. */
  readonly pictures: readonly SentPicture[]
  private readonly world: SimulatedWorld
  private readonly controller: UplinkController
  private newest = -1

  constructor(world: SimulatedWorld, options: PublisherOptions) {
    const { participant, leaf, access = {}, follows = false } = options
    this.world = world
    this.participant = participant
    const facts = { leaf, epoch: 1, now: () => world.now, random: world.random }
    this.sound = new SentSound({ ...facts, number: 0 })
    this.pictures = RENDITIONS.map(
      (size, index) =>
        new SentPicture(videoTrackName(index), size, { ...facts, number: index + 1 }),
    )
    this.controller = new UplinkController(
      {
        renditions: RENDITIONS.map((settings, index) => limitsOf(videoTrackName(index), settings)),
        reserved: SOUND_BITRATE,
        onPlan: () => {
          if (follows) this.followPlan()
        },
        onKeyFrameWanted: (name) =>
          this.pictures.find(({ ledger }) => ledger.name === name)?.requestKeyFrame(),
      },
      world.now,
    )
    if (follows) this.followPlan()
    this.connection = world.connect(access)
    this.join()
    world.every(AUDIO_FRAME_MS, () => this.sound.tick())
    for (const picture of this.pictures) world.every(FRAME_MS, () => picture.tick())
  }

  get tracks() {
    return [this.sound, ...this.pictures]
  }

  /** Bits a second that the encoders make now. */
  get bitrate(): number {
    return this.pictures.reduce((sum, { encoder }) => sum + encoder.bitrate, 0)
  }

  useEpoch(epoch: number): void {
    for (const track of this.tracks) track.useEpoch(epoch)
  }

  private join(): void {
    const session = new Session(this.connection.path.client, {
      role: 'client',
      clock: this.world.clock,
      handler: {
        onSubscribe: (request) => {
          const name = textOf(request.track.name)
          const track = this.tracks.find(({ ledger }) => ledger.name === name)
          if (track) track.publisher.accept(request)
          else request.reject(RequestCode.DOES_NOT_EXIST, 'no such track')
        },
      },
    })
    session.publishNamespace(participantNamespace(ROOM, this.participant), {})
    session.subscribe(
      feedbackTrack(ROOM, this.participant),
      { rendezvousTimeout: 10_000 },
      {
        onObject: ({ group, payload }) => {
          if (group <= this.newest) return
          this.newest = group
          this.controller.onFeedback(decodePublisherFeedback(payload), this.world.now)
        },
      },
    )
  }

  private followPlan(): void {
    for (const [index, plan] of this.controller.plan.entries()) {
      const { encoder, floods } = this.pictures[index]!
      if (floods) continue
      encoder.bitrate = plan.active ? plan.bitrate : 0
      // A frame rate is halved by leaving out the topmost layer.
      const byRate = plan.framerate > 20 ? 3 : plan.framerate > 10 ? 2 : 1
      encoder.layers = Math.min(byRate, plan.temporalLayers)
    }
  }

  /** From now on the camera sends so much, whatever it is told. */
  flood(bitrate: number): void {
    for (const picture of this.pictures) {
      picture.floods = true
      picture.encoder.bitrate = bitrate / this.pictures.length
      picture.encoder.layers = 3
    }
  }
}
