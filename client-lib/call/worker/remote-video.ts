import { type CatalogTrack, parseTrackName } from '../../../moq/media/index.ts'
import { RenditionChoice, type ShownSize } from '../../media/rendition-choice.ts'
import { RenditionPicker } from '../../media/rendition-picker.ts'
import type { TrackInfo } from '../types.ts'
import { addedDecryptFailures, noDecryptFailures, totalOf } from './decrypt-failures.ts'
import { RemoteRendition, renditionOf } from './remote-rendition.ts'
import type { RemoteTrack, RemoteTrackOptions } from './remote-track.ts'

const NO_REPAIRS = { repaired: 0, late: 0, givenUp: 0 }

/**
 * A picture of somebody else's, camera or screen: out of all its renditions, of which the relay forwards
 * one at a time. Where the relay does not choose, this does, and asks for no other.
 */
export class RemoteVideo implements RemoteTrack {
  private readonly options: RemoteTrackOptions
  private readonly kind: 'video' | 'screen'
  private readonly renditions = new Map<number, RemoteRendition>()
  private readonly picker: RenditionPicker<VideoFrame>
  private readonly choice = new RenditionChoice((id) => this.renditions.get(id)!.flow)
  /** Of renditions that are not there any more. */
  private past = { objects: 0, bytes: 0, decoded: 0, dropped: 0, ...NO_REPAIRS }
  private pastFailures = noDecryptFailures()
  private lastFrameAt: number | null = null

  /** @param onPicture the receiver closes the picture */
  constructor(
    options: RemoteTrackOptions,
    entries: readonly CatalogTrack[],
    { shown, managed }: { readonly shown: ShownSize; readonly managed: boolean },
    onPicture: (picture: VideoFrame) => void,
  ) {
    this.options = options
    this.kind = parseTrackName(entries[0]!.name)?.kind === 'screen' ? 'screen' : 'video'
    this.picker = new RenditionPicker({
      now: () => options.clock.now(),
      onPicture: (picture) => {
        this.lastFrameAt = options.clock.now()
        onPicture(picture)
      },
      onChange: () => this.apply(),
    })
    this.choice.show(shown)
    this.choice.setManaged(managed)
    this.update(entries)
    this.renditions.get(this.choice.smallest)?.prepare()
  }

  setView(shown: ShownSize): void {
    this.choice.show(shown)
    this.apply()
  }

  /** Whether the relay follows our reports and so chooses among the renditions. */
  setManaged(managed: boolean): void {
    this.choice.setManaged(managed)
    this.apply()
  }

  update(entries: readonly CatalogTrack[]): boolean {
    if (entries.length === 0) return false
    for (const [id, rendition] of this.renditions) {
      const entry = entries.find((one) => renditionOf(one) === id)
      const goesOn = entry?.codec === rendition.entry.codec && !rendition.received.ended
      if (entry && goesOn) rendition.entry = entry
      else this.drop(id)
    }
    // The new ones count from now on, and which of them is wanted is known before they are asked for.
    const added = entries.filter((entry) => !this.renditions.has(renditionOf(entry)))
    this.choice.offer(
      entries.map((entry) => ({
        id: renditionOf(entry),
        width: entry.width ?? 0,
        height: entry.height ?? 0,
      })),
    )
    for (const entry of added) this.add(entry)
    this.apply()
    return true
  }

  keysChanged(): void {
    for (const { received } of this.renditions.values()) received.keysChanged()
  }

  poll(): void {
    for (const rendition of this.renditions.values()) rendition.poll()
    this.picker.poll()
    this.choice.update(this.options.clock.now())
    this.apply()
  }

  arrivals() {
    return [...this.renditions.values()].map(({ received: { objects, delay }, repair }) => ({
      received: objects,
      lost: repair.lost,
      delay,
    }))
  }

  info(): TrackInfo {
    const { kind } = this
    const lastFrameAt = this.lastFrameAt
    const shown = this.renditions.get(this.picker.shown) ?? this.first
    const { objects, bytes, decoded, dropped, ...repairs } = this.sums()
    const failures = this.failures()
    const queueMs = shown.received.delay.latestMs
    return {
      name: shown.entry.name,
      kind,
      direction: 'receive',
      codec: shown.entry.codec ?? '',
      rendition: kind === 'video' ? renditionOf(shown.entry) : null,
      temporalLayers: shown.temporalLayers,
      muted: [...this.renditions.values()].every(({ entry }) => entry.muted ?? false),
      objects,
      bytes,
      framesDecoded: decoded,
      framesDropped: dropped,
      decryptFailures: totalOf(failures),
      decryptFailuresByReason: failures,
      lastFrameAgeMs: lastFrameAt === null ? null : this.options.clock.now() - lastFrameAt,
      audioLevel: null,
      epoch: shown.received.epoch,
      queueMs: queueMs === null ? null : Math.round(queueMs),
      lost: repairs.repaired + repairs.late + repairs.givenUp,
      size: sizeOf(shown.entry),
      repairs,
    }
  }

  close(): void {
    for (const id of [...this.renditions.keys()]) this.drop(id)
  }

  private get first(): RemoteRendition {
    return this.renditions.get(Math.min(...this.renditions.keys()))!
  }

  private add(entry: CatalogTrack): void {
    const { options, picker } = this
    const id = renditionOf(entry)
    const rendition = new RemoteRendition(options, entry, picker, this.wants(id))
    this.renditions.set(id, rendition)
    picker.add(id, rendition)
  }

  private drop(id: number): void {
    const rendition = this.renditions.get(id)!
    this.past = this.sums([rendition])
    this.pastFailures = this.failures([rendition])
    rendition.close()
    this.renditions.delete(id)
    this.picker.remove(id)
  }

  /**
   * What is asked for: the chosen one, and until that is shown, the one that is. Before there is any
   * picture the smallest too, as the chosen one may not be made at all.
   */
  private apply(): void {
    const { picker, choice } = this
    picker.restrictTo(picker.shown < 0 ? -1 : (choice.chosen ?? -1))
    for (const [id, { received }] of this.renditions) received.setForward(this.wants(id))
  }

  private wants(id: number): boolean {
    const { chosen, smallest } = this.choice
    const { shown } = this.picker
    if (chosen === null || id === chosen) return true
    return chosen >= 0 && id === (shown < 0 ? smallest : shown)
  }

  private sums(renditions: Iterable<RemoteRendition> = this.renditions.values()) {
    const sums = { ...this.past }
    for (const { received, decoder, framesDropped, repair } of renditions) {
      const { repaired, late, givenUp } = repair.figures
      sums.objects += received.objects
      sums.bytes += received.bytes
      sums.decoded += decoder.counters.framesDecoded
      sums.dropped += framesDropped
      sums.repaired += repaired
      sums.late += late
      sums.givenUp += givenUp
    }
    return sums
  }

  private failures(renditions: Iterable<RemoteRendition> = this.renditions.values()) {
    let sums = { ...this.pastFailures }
    for (const { received } of renditions) {
      sums = addedDecryptFailures(sums, received.decryptFailuresByReason)
    }
    return sums
  }
}

function sizeOf({ width, height }: CatalogTrack): TrackInfo['size'] {
  return width === undefined || height === undefined ? null : { width, height }
}
