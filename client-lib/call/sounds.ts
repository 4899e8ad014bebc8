import { AudioOutput, type AudioSource } from '../media/audio-output.ts'
import playoutWorkletUrl from '../media/playout-worklet.ts?worker&url'
import type { PictureSource } from './participant-view.ts'
import type { CallError, Participant, TrackInfo } from './types.ts'
import { soundSource } from './worker-protocol.ts'

export interface SoundsEvents {
  /** The port is the receiver's, to be transferred to the worker. */
  onOpened(source: string, port: MessagePort): void
  /** Sound of a source goes to the loudspeaker: told when it first does. */
  onHeard(): void
  /** @param ms from a timestamp to when its sound is heard, on `performance.now()`; null: no sound */
  onDelay(source: string, ms: number | null): void
  onError(error: CallError): void
}

type Output = Pick<AudioOutput, 'addSource' | 'playAt' | 'close'>

/** What is heard of the others: a source at the loudspeaker for each track of sound. */
export class Sounds {
  private readonly events: SoundsEvents
  private readonly sources = new Map<string, AudioSource>()
  /** The newest wish for each source that has not ended. */
  private readonly wishes = new Map<string, object>()
  private readonly create: () => Promise<Output>
  private output: Promise<Output | null> | null = null
  /** Empty: where the system says. */
  private speaker = ''
  private closed = false

  /** @param create opens the loudspeaker, once a source is wanted */
  constructor(events: SoundsEvents, create: () => Promise<Output> = openLoudspeaker) {
    this.events = events
    this.create = create
  }

  /** Opens the loudspeaker, before there is anything to be heard: that takes a moment. */
  prepare(): void {
    this.output ??= this.openOutput()
  }

  /** @param source as of `soundSource` */
  async open(source: string): Promise<void> {
    const wish = {}
    this.wishes.set(source, wish)
    this.output ??= this.openOutput()
    const output = await this.output
    // It may have ended while the loudspeaker opened, and even begun again.
    if (!output || this.closed || this.wishes.get(source) !== wish) return
    const opened = output.addSource({
      onPlaying: () => this.events.onHeard(),
      onDelay: (ms) => {
        // The last report may come after the end.
        if (this.wishes.get(source) === wish) this.events.onDelay(source, ms)
      },
    })
    this.sources.set(source, opened)
    this.events.onOpened(source, opened.port)
  }

  end(source: string): void {
    this.wishes.delete(source)
    this.sources.get(source)?.close()
    if (this.sources.delete(source)) this.events.onDelay(source, null)
  }

  /** The sound that belongs to a picture; null while there is none. */
  of(participantId: string, picture: PictureSource): AudioSource | null {
    const kind = picture === 'screen' ? 'screen-audio' : 'audio'
    return this.sources.get(soundSource(participantId, kind)) ?? null
  }

  /**
   * Where sound is played, now and later.
   * @param speaker empty: where the system says
   * @throws DOMException (rejects): it is gone, or not allowed
   */
  async playAt(speaker: string): Promise<void> {
    const former = this.speaker
    this.speaker = speaker
    try {
      await (await this.output)?.playAt(speaker)
    } catch (error) {
      if (this.speaker === speaker) this.speaker = former
      throw error
    }
  }

  /** What the loudspeaker knows of a track. */
  measured(participant: Participant, track: TrackInfo): Pick<TrackInfo, 'jitterBufferMs'> {
    if (participant.local || (track.kind !== 'audio' && track.kind !== 'screen-audio')) return {}
    const report = this.sources.get(soundSource(participant.id, track.kind))?.report
    return { jitterBufferMs: report ? Math.round(report.delayMs) : null }
  }

  close(): void {
    this.closed = true
    for (const source of this.sources.values()) source.close()
    this.sources.clear()
    void this.output?.then((output) => output?.close())
  }

  private async openOutput(): Promise<Output | null> {
    try {
      const output = await this.create()
      // One that is gone meanwhile is no reason to hear nothing.
      if (this.speaker !== '') await output.playAt(this.speaker).catch(() => {})
      return output
    } catch (error) {
      this.events.onError({
        code: 'internal',
        message: 'Sound cannot be played in this browser.',
        detail: String(error),
      })
      return null
    }
  }
}

function openLoudspeaker(): Promise<Output> {
  return AudioOutput.create({ workletUrl: playoutWorkletUrl })
}
