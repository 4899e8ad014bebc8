/** What has to hold of every simulation, and figures of what came. */

import type { ReceivedTrack } from './received-track.ts'
import type { SimulatedReceiver } from './receiver.ts'

/** Delays of what was sent in a stretch and arrived, ms, ascending. */
export function delays(track: ReceivedTrack, from: number, to: number): number[] {
  return track.objects
    .filter(({ object }) => object.frame.sentAt >= from && object.frame.sentAt < to)
    .map(({ object, at }) => at - object.frame.sentAt)
    .sort((a, b) => a - b)
}

/** @param share 0..1 @returns NaN of nothing */
export function percentile(ascending: readonly number[], share: number): number {
  return (
    ascending[Math.min(ascending.length - 1, Math.floor(ascending.length * share))] ?? Number.NaN
  )
}

/** When frames of sound were sent that did not come, ms. */
export function missingSound(track: ReceivedTrack, from: number, to: number): number[] {
  return track.ledger.frames
    .filter(({ sentAt }) => sentAt >= from && sentAt < to)
    .filter(({ objects }) => objects.some((object) => !track.has(object)))
    .map(({ sentAt }) => sentAt)
}

/** How long sound may wait before the relay drops it, ms. */
const SOUND_BUDGET_MS = 400

/**
 * Sound that did not come though, while it could have been sent, something else was.
 * @param pathMs how long the way to the receiver is
 */
export function soundDroppedForOthers(receiver: SimulatedReceiver, end: number, pathMs: number) {
  const others = receiver.tracks
    .filter((track) => !receiver.sounds.includes(track))
    .flatMap(({ objects }) => objects.map(({ at }) => at))
  return receiver.sounds.flatMap((sound) =>
    missingSound(sound, firstHeard(sound), end - 1000).filter((sentAt) => {
      const from = sentAt + pathMs
      return others.some((at) => at > from + 50 && at < from + SOUND_BUDGET_MS)
    }),
  )
}

/** When the first was sent that was heard, ms. */
function firstHeard({ objects }: ReceivedTrack): number {
  return objects[0]?.object.frame.sentAt ?? Number.POSITIVE_INFINITY
}

/** What is wrong with what a receiver got; nothing may be. */
export function faultsOf(receiver: SimulatedReceiver): string[] {
  return [
    ...receiver.faults,
    ...receiver.tracks.flatMap(({ wrong }) => wrong.map((place) => `other bytes: ${place}`)),
    ...receiver.tracks.flatMap((track) => track.undecodable().map((at) => `undecodable: ${at}`)),
  ]
}
