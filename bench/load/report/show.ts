/** A run as text, for the terminal. */

import { compact, table } from '../../report/table.ts'
import type { Stalls } from '../figures/stall-watch.ts'
import type { Goal, LabelReport, RunReport, Spread } from './figures.ts'

export function runText(report: RunReport): string {
  return [
    `\n${report.name}: ${report.durationS} s, ${report.participants.joined} of ` +
      `${report.participants.planned} participants joined\n`,
    classTable(report),
    summary(report),
    ...report.labels.filter(({ phases }) => phases.length > 1).map(phaseTable),
    relayLines(report),
    generatorLines(report),
    goalTable(report.goals),
    ...report.faults.map((fault) => `fault: ${fault}\n`),
    ...report.invalidBecause.map((reason) => `not valid: ${reason}\n`),
  ].join('')
}

function classTable({ classes, latencyMs }: RunReport): string {
  const head = ['', 'sent', 'expected', 'received', 'lost', 'withheld', 'late', 'twice']
  const rows = Object.entries(classes).map(([name, counts]) => [
    name,
    ...[counts.sent, counts.expected, counts.received, counts.lost].map(String),
    ...[counts.withheld, counts.late, counts.duplicate].map(String),
    ...spreadCells(latencyMs[name as keyof typeof latencyMs]),
  ])
  return table([...head, 'p50 ms', 'p95', 'p99', 'max'], rows)
}

function spreadCells(spread: Spread | undefined): string[] {
  const { p50 = null, p95 = null, p99 = null, max = null } = spread ?? {}
  return [p50, p95, p99, max].map(milliseconds)
}

function summary(report: RunReport): string {
  const { objectsPerSecond, megabitsPerSecond, packetsPerSecond, objects, bytesIdentical } = report
  const { joinMs, keysMs, firstObjectMs, firstPictureMs, epochChanges } = report
  const packets = packetsPerSecond === null ? '' : `, ${compact(packetsPerSecond)} UDP packets/s`
  const spread = ({ p50, p95 }: Spread) => `${milliseconds(p50)} / ${milliseconds(p95)}`
  const compared = bytesIdentical
    ? `bytes: ${bytesIdentical.compared} payloads compared, ${bytesIdentical.different} differ\n`
    : ''
  const keys = epochChanges
    ? `keys ${spread(keysMs)} ms; ${epochChanges.count} changes of epoch, from the first member to ` +
      `each other ${spread(epochChanges.ms)} ms, at most ${milliseconds(epochChanges.ms.max)}\n`
    : ''
  return (
    `received ${compact(objectsPerSecond)} objects/s, ${megabitsPerSecond} Mbit/s${packets}\n` +
    `join ${spread(joinMs)} ms (p50 / p95), first object ${spread(firstObjectMs)} ms, ` +
    `first picture ${spread(firstPictureMs)} ms\n${keys}` +
    `audio gaps over 40 ms: ${stallText(report.audioGaps)}; ` +
    `freezes over 500 ms: ${stallText(report.freezes)}\n` +
    `not decrypted: ${objects.undecryptable}, not sent for want of an uplink: ${objects.refused}\n` +
    compared
  )
}

function phaseTable({ label, phases, timeline }: LabelReport): string {
  const head = [
    label,
    'audio lost',
    'audio p95 ms',
    'gaps',
    'longest ms',
    'freezes',
    'longest ms',
    'fps',
  ]
  const rows = phases.map((phase) => [
    phase.phase,
    String(phase.classes.audio?.lost ?? 0),
    milliseconds(phase.latencyMs.audio?.p95 ?? null),
    String(phase.audioGaps.count),
    milliseconds(phase.audioGaps.longestMs),
    String(phase.freezes.count),
    milliseconds(phase.freezes.longestMs),
    String(phase.framesPerSecond),
  ])
  const seconds = 1000 / timeline.stepMs
  const perSecond = timeline.rendition.filter((_, index) => index % seconds === 0)
  const chosen = perSecond.map((rendition) => rendition ?? '-').join('')
  return `\n${table(head, rows)}rendition each second: ${chosen}\n`
}

function relayLines({ relay }: RunReport): string {
  if (!relay) return ''
  const { cpuCores, cpuSeconds, rssBytes, rssBytesPerParticipant, eventLoopLagMsP99 } = relay
  const dropped = relay.dropped && Object.entries(relay.dropped).filter(([, count]) => count > 0)
  const drops = dropped?.map(([reason, count]) => `${reason} ${count}`).join(', ')
  return (
    `relay: ${known(cpuCores)} cores (${known(cpuSeconds)} s), ` +
    `${known(relay.cpuSecondsPerMillionObjects)} s a million objects, ` +
    `${known(relay.cpuSecondsPerGigabit)} s a Gbit\n` +
    `relay: ${megabytes(rssBytes)}, ${megabytes(rssBytesPerParticipant)} a participant; ` +
    `loop lag p99 ${known(eventLoopLagMsP99)} ms\n` +
    `relay forwarded ${known(relay.forwarded)} objects, dropped ${drops === undefined ? '?' : drops || 'none'}\n`
  )
}

function generatorLines({ generator }: RunReport): string {
  const { workers, cpuCores, lagMsP99, lateTicks, rssBytesPerParticipant, machineBusy } = generator
  return (
    `generator: ${workers} workers, busiest ${cpuCores} cores, loop lag p99 ${lagMsP99} ms, ` +
    `${(lateTicks * 100).toFixed(1)} % of ticks late\n` +
    `generator: ${megabytes(rssBytesPerParticipant)} a participant; machine ${Math.round(machineBusy * 100)} % busy\n`
  )
}

/** Empty without goals. */
export function goalTable(goals: readonly Goal[]): string {
  if (goals.length === 0) return ''
  const rows = goals.map(({ name, value, wanted, met }) => [
    name,
    value,
    wanted ?? '',
    metText(met),
  ])
  return `\n${table(['', 'measured', 'wanted', ''], rows)}`
}

function metText(met: Goal['met']): string {
  if (met === undefined) return ''
  if (met === null) return 'unknown'
  return met ? 'met' : 'missed'
}

function stallText({ count, longestMs }: Stalls): string {
  return count === 0 ? 'none' : `${count}, longest ${Math.round(longestMs)} ms`
}

function milliseconds(value: number | null): string {
  if (value === null) return '-'
  return value >= 100 ? String(Math.round(value)) : value.toFixed(1)
}

function megabytes(bytes: number | null): string {
  return bytes === null ? 'unknown memory' : `${compact(bytes)}B`
}

function known(value: number | null): string {
  return value === null ? '?' : String(value)
}
