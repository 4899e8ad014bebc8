/** What is wanted of calls on bad networks, read from what receivers saw. Nothing fails by it. */

import type { Goal, LabelReport, PhaseReport, RunReport } from '../../load/report/figures.ts'

/** One way, of every link here, ms. */
export const PATH_DELAY_MS = 20
/** Sound may wait so long beside what the path takes, ms. */
const AUDIO_WAIT_MS = 150
const FREEZE_MS = 500

/** A report before it is judged. */
export type Unjudged = Omit<RunReport, 'goals'>

export function phaseOf(label: LabelReport, name: string): PhaseReport {
  const phase = label.phases.find((each) => each.phase === name)
  if (phase) return phase
  throw new Error(`no phase ${name}`)
}

export function audioIntact(name: string, { classes }: PhaseReport): Goal {
  const audio = classes.audio
  return {
    name: `${name}: audio objects lost`,
    value: audio ? `${audio.lost} of ${audio.expected}` : 'none came',
    wanted: '0',
    met: audio ? audio.lost === 0 && audio.received > 0 : null,
  }
}

/** @param extraMs what the network adds beside its delay, as jitter does */
export function audioInTime(name: string, { latencyMs }: PhaseReport, extraMs = 0): Goal {
  const p95 = latencyMs.audio?.p95 ?? null
  const most = AUDIO_WAIT_MS + PATH_DELAY_MS + extraMs
  return {
    name: `${name}: audio delay p95`,
    value: p95 === null ? 'none came' : `${Math.round(p95)} ms`,
    wanted: `under ${most} ms`,
    met: p95 === null ? null : p95 < most,
  }
}

export function noFreeze(name: string, { freezes, framesPerSecond }: PhaseReport): Goal {
  return {
    name: `${name}: freezes over ${FREEZE_MS} ms`,
    value: `${freezes.count}, longest pause ${Math.round(freezes.longestMs)} ms`,
    wanted: '0',
    met: framesPerSecond === 0 ? false : freezes.count === 0,
  }
}

/** @param mostMs of the longest pause between two pictures */
export function pictureGap(
  name: string,
  { freezes, framesPerSecond }: PhaseReport,
  mostMs: number,
): Goal {
  return {
    name: `${name}: longest pause of the picture`,
    value: `${Math.round(freezes.longestMs)} ms`,
    wanted: `under ${mostMs} ms`,
    met: framesPerSecond === 0 ? false : freezes.longestMs < mostMs,
  }
}

/** A choice of the relay's: a rendition, and the highest temporal layer of it. */
export interface Choice {
  readonly rendition: number
  readonly layer: number
}

/**
 * Whether, once the relay has had time to settle, the choice is at least this for most of a phase.
 * @param fromMs and `toMs`: of measuring
 */
export function settlesAt(
  name: string,
  { timeline }: LabelReport,
  fromMs: number,
  toMs: number,
  wanted: Choice,
): Goal {
  const [from, to] = [fromMs, toMs].map((ms) => Math.ceil(ms / timeline.stepMs))
  const choices = timeline.rendition
    .map((rendition, step) => choiceOf(rendition, timeline.temporalLayer[step] ?? null))
    .slice(from, to)
  const reached = choices.filter((choice) => isAtLeast(choice, wanted)).length
  return {
    name: `${name}: picture at the best that fits, or above`,
    value: `${Math.round((100 * reached) / Math.max(1, choices.length))} % of the time; mostly ${mostOf(choices)}`,
    wanted: `${choiceText(wanted)} for most of it`,
    met: choices.length === 0 ? null : reached > choices.length / 2,
  }
}

/** How long after `fromMs` of measuring the choice is first at least this, for two steps on end. */
export function reachedAfter(
  name: string,
  { timeline }: LabelReport,
  fromMs: number,
  wanted: Choice,
  mostMs: number,
): Goal {
  const { stepMs, rendition, temporalLayer } = timeline
  const first = Math.ceil(fromMs / stepMs)
  const there = (step: number) =>
    isAtLeast(choiceOf(rendition[step] ?? null, temporalLayer[step] ?? null), wanted)
  const step = rendition.findIndex((_, at) => at >= first && there(at) && there(at + 1))
  const tookMs = step < 0 ? null : (step - first) * stepMs
  return {
    name: `${name}: at ${choiceText(wanted)} after`,
    value: tookMs === null ? 'never' : `${tookMs / 1000} to ${(tookMs + stepMs) / 1000} s`,
    wanted: `under ${mostMs / 1000} s`,
    met: tookMs !== null && tookMs + stepMs <= mostMs,
  }
}

export function sameBytes({ bytesIdentical, objects }: Unjudged): Goal {
  const { compared = 0, different = 0 } = bytesIdentical ?? {}
  const { undecryptable } = objects
  return {
    name: 'payloads that differ from what was sent',
    value: `${different} of ${compared}, ${undecryptable} not decrypted`,
    wanted: '0',
    met: compared === 0 ? null : different === 0 && undecryptable === 0,
  }
}

export function sessionsHold({ participants, faults }: Unjudged): Goal {
  return {
    name: 'sessions that failed',
    value: faults.length === 0 ? '0' : faults.join('; '),
    wanted: '0',
    met: faults.length === 0 && participants.joined === participants.planned,
  }
}

function choiceOf(rendition: number | null, layer: number | null): Choice | null {
  return rendition === null || layer === null ? null : { rendition, layer }
}

function isAtLeast(choice: Choice | null, wanted: Choice): boolean {
  if (!choice) return false
  if (choice.rendition !== wanted.rendition) return choice.rendition > wanted.rendition
  return choice.layer >= wanted.layer
}

function mostOf(choices: readonly (Choice | null)[]): string {
  const counts = new Map<string, number>()
  for (const choice of choices) {
    const text = choice ? choiceText(choice) : 'no picture'
    counts.set(text, (counts.get(text) ?? 0) + 1)
  }
  return [...counts].toSorted(([, a], [, b]) => b - a)[0]?.[0] ?? 'nothing'
}

function choiceText({ rendition, layer }: Choice): string {
  return `rendition ${rendition} T${layer}`
}
