/**
 * How well somebody's pictures come here, and how good our own way to the relay is, as one word. Judged over
 * the last few seconds, so that one lost packet is nothing. Pure: time is passed in.
 */

import type { Participant, PathInfo, Snapshot } from '../../index.ts'

export type Quality = 'good' | 'fair' | 'poor'

/** Over so much time, ms. */
const WINDOW_MS = 5000
const STEP_MS = 1000
/** Share of frames that could not be shown, from which on it is to be noticed, and annoys. */
const FAIR_SHARE = 0.04
const POOR_SHARE = 0.15
/** A camera that is on and gives nothing for so long has stopped, ms. */
const STOPPED_MS = 3000
/** Our own way: there and back, and what waits on it, ms. */
const FAIR_PATH = { rttMs: 200, queueMs: 100 } as const
const POOR_PATH = { rttMs: 400, queueMs: 300 } as const

interface Counts {
  readonly at: number
  readonly decoded: number
  readonly dropped: number
}

export class QualityMeter {
  readonly #samples = new Map<string, Counts[]>()
  readonly #qualities = new Map<string, Quality>()

  /** To be called some times a second. */
  note({ participants, path }: Pick<Snapshot, 'participants' | 'path'>, now: number): void {
    const present = new Set(participants.map(({ id }) => id))
    for (const id of this.#samples.keys()) if (!present.has(id)) this.#samples.delete(id)
    this.#qualities.clear()
    for (const participant of participants) {
      const quality = participant.local ? ofPath(path) : this.#judge(participant, now)
      if (quality) this.#qualities.set(participant.id, quality)
    }
  }

  /** Null: nothing is known, e.g. of somebody who sends no picture. */
  of(id: string): Quality | null {
    return this.#qualities.get(id) ?? null
  }

  #judge({ id, tracks }: Participant, now: number): Quality | null {
    const pictures = tracks.filter(({ kind }) => kind === 'video' || kind === 'screen')
    const seen = pictures.filter((track) => !track.muted && track.lastFrameAgeMs !== null)
    const first = this.#sample(id, pictures, now)
    if (seen.length === 0 || now - first.at < STEP_MS) return null
    if (seen.every((track) => track.kind === 'video' && track.lastFrameAgeMs! > STOPPED_MS)) {
      return 'poor'
    }
    const { decoded, dropped } = countsOf(pictures, now)
    const lost = Math.max(0, dropped - first.dropped)
    const share = lost / Math.max(1, lost + Math.max(0, decoded - first.decoded))
    return share > POOR_SHARE ? 'poor' : share > FAIR_SHARE ? 'fair' : 'good'
  }

  /** Adds what is now. @returns what was at the beginning of the window */
  #sample(id: string, pictures: Participant['tracks'], now: number): Counts {
    const samples = this.#samples.get(id) ?? []
    this.#samples.set(id, samples)
    const last = samples.at(-1)
    if (!last || now - last.at >= STEP_MS) samples.push(countsOf(pictures, now))
    while (now - samples[0]!.at > WINDOW_MS && samples.length > 1) samples.shift()
    return samples[0]!
  }
}

/** For a person: of somebody's pictures, and of our own way. */
export function qualityText(quality: Quality | null): string {
  switch (quality) {
    case 'good':
      return 'good connection'
    case 'fair':
      return 'fair connection'
    case 'poor':
      return 'poor connection'
    case null:
      return 'connection not known'
  }
}

function countsOf(pictures: Participant['tracks'], at: number): Counts {
  let decoded = 0
  let dropped = 0
  for (const { framesDecoded, framesDropped } of pictures) {
    decoded += framesDecoded
    dropped += framesDropped
  }
  return { at, decoded, dropped }
}

function ofPath({ rttMs, queueMs }: PathInfo): Quality | null {
  if (rttMs === null) return null
  const exceeds = (bounds: { rttMs: number; queueMs: number }) =>
    rttMs > bounds.rttMs || (queueMs ?? 0) > bounds.queueMs
  return exceeds(POOR_PATH) ? 'poor' : exceeds(FAIR_PATH) ? 'fair' : 'good'
}
