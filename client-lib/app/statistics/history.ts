/**
 * Figures of a call over the last minute, out of its snapshots: rates are differences of two of them. One
 * point a second. Pure: time is passed in.
 */

import type { Snapshot, TrackInfo } from '../../index.ts'

/** A track's figures of the last second; null where there is nothing to say. */
export interface TrackFigures {
  readonly name: string
  readonly kind: TrackInfo['kind']
  readonly direction: 'send' | 'receive'
  readonly codec: string
  /** False while it is muted, or not encoded. */
  readonly active: boolean
  readonly rendition: number | null
  /** Pixels. */
  readonly size: { readonly width: number; readonly height: number } | null
  readonly temporalLayers: number | null
  readonly framesPerSecond: number | null
  /** Bits a second, encrypted payload. */
  readonly bitrate: number
  /** Share of the objects that did not come by themselves, 0..1. */
  readonly loss: number | null
  /** Since it began. */
  readonly framesDropped: number
  readonly decryptFailures: number
}

export interface ParticipantFigures {
  readonly id: string
  readonly name: string
  readonly local: boolean
  /** The epoch in which this participant came to the group, as far as we saw; null: not in the group. */
  readonly sinceEpoch: number | null
  readonly tracks: readonly TrackFigures[]
  /** Bits a second of all tracks together, a point a second, the newest last. */
  readonly bitrates: readonly number[]
  /** Frames a second of the picture that is sent or shown, likewise. */
  readonly frames: readonly number[]
}

/** Points that are kept. */
export const POINTS = 60
const STEP_MS = 1000

interface Past {
  readonly objects: number
  readonly bytes: number
  readonly frames: number
  readonly lost: number
}

interface Lines {
  readonly bitrates: number[]
  readonly frames: number[]
}

export class History {
  /** Round trip and queue of our way, ms, a point a second. */
  readonly rtt: number[] = []
  readonly queue: number[] = []
  #people: readonly ParticipantFigures[] = []
  #past = new Map<string, Past>()
  #lines = new Map<string, Lines>()
  #notedAt = Number.NEGATIVE_INFINITY

  get people(): readonly ParticipantFigures[] {
    return this.#people
  }

  /**
   * To be called at least once a second; what comes sooner after a point is left out.
   * @param now ms
   * @returns whether there is a new point
   */
  note(snapshot: Snapshot, now: number): boolean {
    const elapsed = now - this.#notedAt
    if (elapsed < STEP_MS) return false
    this.#notedAt = now
    const { path, participants, roster } = snapshot
    push(this.rtt, path.rttMs ?? 0)
    push(this.queue, path.queueMs ?? 0)
    const past = new Map<string, Past>()
    const lines = new Map<string, Lines>()
    this.#people = participants.map(({ id, name, local, tracks }) => {
      const figures = tracks.map((track) => {
        const key = `${id} ${track.kind} ${track.direction === 'send' ? track.name : ''}`
        const before = this.#past.get(key)
        past.set(key, pastOf(track))
        return figuresOf(track, before, elapsed / 1000)
      })
      const drawn = this.#lines.get(id) ?? { bitrates: [], frames: [] }
      lines.set(id, drawn)
      push(
        drawn.bitrates,
        figures.reduce((sum, { bitrate }) => sum + bitrate, 0),
      )
      push(drawn.frames, Math.max(0, ...figures.map(({ framesPerSecond }) => framesPerSecond ?? 0)))
      const member = roster.find((one) => one.id === id)
      const sinceEpoch = member?.since.epoch ?? null
      return { id, name, local, sinceEpoch, tracks: figures, ...drawn }
    })
    this.#past = past
    this.#lines = lines
    return true
  }
}

function push(line: number[], value: number): void {
  line.push(value)
  if (line.length > POINTS) line.shift()
}

function pastOf({ objects, bytes, framesDecoded, repairs }: TrackInfo): Past {
  const lost = repairs ? repairs.repaired + repairs.late + repairs.givenUp : 0
  return { objects, bytes, frames: framesDecoded, lost }
}

/** @param before null: it is new, and has no rates yet. @param seconds since then */
function figuresOf(track: TrackInfo, before: Past | undefined, seconds: number): TrackFigures {
  const now = pastOf(track)
  const since = (what: keyof Past) => (before ? Math.max(0, now[what] - before[what]) : 0)
  const isPicture = track.kind === 'video' || track.kind === 'screen'
  const { encoding, repairs } = track
  const shown = isPicture ? Math.round(since('frames') / seconds) : null
  const arrived = since('objects')
  return {
    name: track.name,
    kind: track.kind,
    direction: track.direction,
    codec: track.codec,
    active: !track.muted && encoding?.active !== false,
    rendition: track.rendition,
    size: encoding ? { width: encoding.width, height: encoding.height } : (track.size ?? null),
    temporalLayers: track.temporalLayers,
    framesPerSecond: encoding ? encoding.framesPerSecond : shown,
    bitrate: Math.round((since('bytes') * 8) / seconds),
    loss: repairs && arrived > 0 ? Math.min(1, since('lost') / arrived) : null,
    framesDropped: track.framesDropped,
    decryptFailures: track.decryptFailures,
  }
}
