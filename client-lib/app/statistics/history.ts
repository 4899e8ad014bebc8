/**
 * Figures of a call over the last minute, out of its snapshots: rates are differences of two of them. One
 * point a second. Pure: time is passed in.
 */

import type { DecryptFailures, Snapshot, TrackInfo } from '../../index.ts'

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
  /** Objects that came, or were sent, in this second. */
  readonly arrived: number
  /** Share of the objects that did not come by themselves, 0..1. */
  readonly loss: number | null
  /** How much longer than at best the newest object was on its way, ms. */
  readonly queueMs: number | null
  /** Of the key of the newest frame. */
  readonly epoch: number | null
  /** How long sound is held back, ms. */
  readonly heldMs: number | null
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
  /** The newest epoch under whose key a frame came or is sent; null before the first. */
  readonly keyEpoch: number | null
  /** Objects that were not decrypted, of all tracks. */
  readonly decryptFailures: number
  /** Share of the objects that did not come by themselves, of all tracks, 0..1, a point a second. */
  readonly losses: readonly number[]
  /** Of the track that waits the longest on its way, ms, likewise. */
  readonly queues: readonly number[]
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
  readonly losses: number[]
  readonly queues: number[]
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
    this.#people = participants.map(({ id, name, local, tracks, decryptFailures }) => {
      const figures = tracks.map((track) => {
        const key = `${id} ${track.kind} ${track.direction === 'send' ? track.name : ''}`
        const before = this.#past.get(key)
        past.set(key, pastOf(track))
        return figuresOf(track, before, elapsed / 1000)
      })
      const drawn = this.#lines.get(id) ?? { bitrates: [], frames: [], losses: [], queues: [] }
      lines.set(id, drawn)
      push(
        drawn.bitrates,
        figures.reduce((sum, { bitrate }) => sum + bitrate, 0),
      )
      push(drawn.frames, Math.max(0, ...figures.map(({ framesPerSecond }) => framesPerSecond ?? 0)))
      push(drawn.losses, lossOf(figures))
      push(drawn.queues, Math.max(0, ...figures.map(({ queueMs }) => queueMs ?? 0)))
      const epochs = figures.flatMap(({ epoch }) => (epoch === null ? [] : [epoch]))
      const keyEpoch = epochs.length > 0 ? Math.max(...epochs) : null
      const member = roster.find((one) => one.id === id)
      const sinceEpoch = member?.since.epoch ?? null
      return {
        id,
        name,
        local,
        sinceEpoch,
        keyEpoch,
        decryptFailures: decryptFailures ? totalOf(decryptFailures) : 0,
        tracks: figures,
        ...drawn,
      }
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

function pastOf({ objects, bytes, framesDecoded, lost = 0 }: TrackInfo): Past {
  return { objects, bytes, frames: framesDecoded, lost }
}

/** Of all tracks together: what is lost weighs by what came. */
function lossOf(figures: readonly TrackFigures[]): number {
  let lost = 0
  let all = 0
  for (const { loss, arrived } of figures) {
    if (loss === null) continue
    lost += loss * arrived
    all += arrived
  }
  return all > 0 ? lost / all : 0
}

function totalOf(failures: DecryptFailures): number {
  return Object.values(failures).reduce((sum, count) => sum + count, 0)
}

/** @param before null: it is new, and has no rates yet. @param seconds since then */
function figuresOf(track: TrackInfo, before: Past | undefined, seconds: number): TrackFigures {
  const now = pastOf(track)
  const since = (what: keyof Past) => (before ? Math.max(0, now[what] - before[what]) : 0)
  const isPicture = track.kind === 'video' || track.kind === 'screen'
  const { encoding } = track
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
    arrived,
    loss: track.lost !== undefined && arrived > 0 ? Math.min(1, since('lost') / arrived) : null,
    queueMs: track.queueMs ?? null,
    epoch: track.epoch ?? null,
    heldMs: track.jitterBufferMs ?? null,
    framesDropped: track.framesDropped,
    decryptFailures: track.decryptFailures,
  }
}
