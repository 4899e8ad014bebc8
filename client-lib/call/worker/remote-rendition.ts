import {
  type ArrivalContext,
  type CatalogTrack,
  type MediaProperties,
  parseTrackName,
} from '../../../moq/media/index.ts'
import type { MoqObject } from '../../../moq/wire/object.ts'
import { type AssembledFrame, FrameAssembler } from '../../media/assemble.ts'
import { GapJudge } from '../../media/gap-judge.ts'
import { LayerMeter } from '../../media/layer-meter.ts'
import type { FlowFigures } from '../../media/rendition-choice.ts'
import type { PickedRendition, RenditionPicker } from '../../media/rendition-picker.ts'
import { VideoTrackDecoder } from '../../media/video-decoder.ts'
import { ReceivedTrack } from './received-track.ts'
import type { RemoteTrackOptions } from './remote-track.ts'
import { TrackRepair } from './track-repair.ts'

/** Behind sound (draft-18 section 7). */
const PRIORITY = 96

/** One rendition of a picture: its track, repaired, assembled and, while it is picked, decoded. */
export class RemoteRendition implements PickedRendition {
  entry: CatalogTrack
  readonly received: ReceivedTrack
  readonly repair: TrackRepair
  readonly decoder: VideoTrackDecoder
  private readonly options: RemoteTrackOptions
  private readonly layers: LayerMeter
  private readonly judge: GapJudge
  private readonly assembler: FrameAssembler

  constructor(
    options: RemoteTrackOptions,
    entry: CatalogTrack,
    picker: RenditionPicker<VideoFrame>,
    forward: boolean,
  ) {
    this.options = options
    this.entry = entry
    const id = renditionOf(entry)
    const now = () => options.clock.now()
    const name = options.nameOf(entry.name)
    this.layers = new LayerMeter(now)
    this.judge = new GapJudge(entry.temporalLayers ?? 1)
    this.repair = new TrackRepair({
      ...options,
      track: name,
      priority: PRIORITY,
      onObject: (object) => this.received.take(object),
    })
    this.assembler = new FrameAssembler({
      now,
      awaitedUntil: (group, first, end) => this.repair.awaitedUntil(group, first, end),
      onFrame: (frame) => {
        this.layers.note(frame.temporalLayer)
        picker.onFrame(id, frame)
      },
      onKeyFrameNeeded: () => {
        if (picker.mayAskForKey(id)) this.received.requestGroup()
      },
    })
    this.decoder = new VideoTrackDecoder({
      codec: entry.codec ?? 'vp8',
      now,
      onFrame: (picture) => {
        options.steps.reach('firstDecoded')
        picker.onPicture(id, picture)
      },
      onKeyFrameNeeded: () => this.assembler.requireKeyFrame(),
      onError: options.onError,
    })
    this.received = new ReceivedTrack({
      ...options,
      name,
      // No filter: the relay begins with the newest group where it has it, else asks for a key frame.
      parameters: { subscriberPriority: PRIORITY, ...(!forward && { forward }) },
      onAccepted: () => options.steps.reach('subscribed'),
      onArrived: (object, media, fetched) => this.onArrived(object, media, fetched),
      onPlaintext: ({ group, object }, media, payload) =>
        this.assembler.push({ group, object, media, payload }),
    })
  }

  /** Temporal layers that come; null before the first frame. */
  get temporalLayers(): number | null {
    return this.layers.layers
  }

  /** Frames that could not be given to a decoder. */
  get framesDropped(): number {
    const { lost, incomplete, undecodable, overflow } = this.assembler.counters.dropped
    return this.decoder.counters.framesDropped + lost + incomplete + undecodable + overflow
  }

  get flow(): FlowFigures {
    const { released, dropped } = this.assembler.counters
    return {
      objects: this.received.objects,
      frames: released,
      dropped: dropped.incomplete + dropped.undecodable + dropped.overflow,
      muted: this.entry.muted ?? false,
    }
  }

  decode(frame: AssembledFrame): void {
    this.decoder.decode(frame)
  }

  /** It is likely to be the first that is shown. */
  prepare(): void {
    if (!this.entry.muted) this.decoder.prepare()
  }

  rest(): void {
    this.decoder.rest()
    this.assembler.rest()
  }

  poll(): void {
    this.assembler.poll()
  }

  close(): void {
    this.received.close()
    this.repair.close()
    this.decoder.close()
  }

  private onArrived(object: MoqObject, media: MediaProperties | null, fetched: boolean): boolean {
    this.options.steps.reach('firstObject')
    return this.repair.received(object.group, object.object, this.contextOf(object, media, fetched))
  }

  private contextOf(
    object: MoqObject,
    media: MediaProperties | null,
    fetched: boolean,
  ): ArrivalContext {
    if (!media) return { gap: 'left-out' }
    if (fetched) return this.judge.judgeRepaired(media)
    return this.judge.judge(this.options.clock.now(), object, media)
  }
}

/** Its number among those of its picture; 0 is the smallest, and the only one of a screen. */
export function renditionOf(entry: CatalogTrack): number {
  return parseTrackName(entry.name)?.rendition ?? 0
}
