/** What has to hold of every simulation, and figures of what came. */

import type { ReceivedTrack } from './received-track.ts'
import type { SimulatedReceiver } from './receiver.ts'
import type { SentFrame } from './sent-frame.ts'

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

/** How long sound may wait before the relay drops it, and how far it is from publisher to relay; ms. */
const SOUND_BUDGET_MS = 400
const TO_RELAY_MS = 20

/** When sound was sent that did not come though, while it waited, the relay sent something else. */
export function soundDroppedForOthers(receiver: SimulatedReceiver, end: number): number[] {
  const others = receiver.relayed.objects
    .filter(({ alias }) => !receiver.sounds.includes(receiver.byAlias.get(alias)!))
    .map(({ at }) => at)
  return receiver.sounds.flatMap((sound) =>
    missingSound(sound, firstHeard(sound), end - 1000).filter((sentAt) => {
      const from = sentAt + TO_RELAY_MS
      return others.some((at) => at > from + 10 && at < from + SOUND_BUDGET_MS)
    }),
  )
}

/** When the first was sent that was heard, ms. */
function firstHeard({ objects }: ReceivedTrack): number {
  return objects[0]?.object.frame.sentAt ?? Number.POSITIVE_INFINITY
}

/** Objects that the relay sent before it had sent what they build on, by name and place. */
function undecodable(receiver: SimulatedReceiver): string[] {
  const sent = new Map<SentFrame, number>()
  const found: string[] = []
  for (const { alias, group, object: id } of receiver.relayed.objects) {
    const track = receiver.byAlias.get(alias)
    const object = track?.ledger.find(group, id)
    if (!track || !object) continue
    const { reference } = object.frame
    sent.set(object.frame, (sent.get(object.frame) ?? 0) + 1)
    if (!reference || sent.get(reference) === reference.objects.length) continue
    found.push(`undecodable: ${track.ledger.name} ${group}/${id}`)
  }
  return found
}

/** What is wrong with what a receiver got; nothing may be. */
export function faultsOf(receiver: SimulatedReceiver): string[] {
  const wrong = receiver.tracks.flatMap((track) => track.wrong)
  return [
    ...receiver.faults,
    ...wrong.map((place) => `other bytes: ${place}`),
    ...undecodable(receiver),
  ]
}
