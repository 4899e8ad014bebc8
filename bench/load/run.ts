/** Plays a plan against a relay, and brings home what everybody saw. */

import { availableParallelism } from 'node:os'
import { machineClock } from './clock.ts'
import { Crew } from './crew/crew.ts'
import type {
  PlacedParticipant,
  WorkerPlan,
  WorkerProgress,
  WorkerResult,
} from './crew/protocol.ts'
import { type LoadPlan, measuredMs } from './plan.ts'
import { workersFor } from './size.ts'
import { type Target, throughLink } from './target/address.ts'
import { LinkProcess } from './target/link-process.ts'
import { busyShare, sampleMachine } from './target/processes.ts'
import { type RelaySample, RelayWatch } from './target/relay-watch.ts'
import { sampleUdpPackets } from './target/udp-packets.ts'

export interface RunSettings {
  /** Null: by the size of the plan. */
  readonly workers: number | null
  readonly seed: number
}

/** A run as it was measured, before any figure is made of it. */
export interface RunRecord {
  readonly plan: LoadPlan
  /** Measuring, ms of the machine's clock. */
  readonly from: number
  readonly to: number
  readonly workers: readonly WorkerResult[]
  /** When measuring began and ended. */
  readonly relay: { readonly before: RelaySample; readonly after: RelaySample }
  /** Before anybody joined: what the relay takes for itself. */
  readonly idleRssBytes: number | null
  readonly relaySamples: readonly RelaySample[]
  /** Share of the machine's cores that was busy, 0..1. */
  readonly machineBusy: number
  /** Of all processes of the machine; null where it does not tell. */
  readonly udpPackets: number | null
}

/** For processes that hear of the plan, ms. */
const LEAD_MS = 300

/** @throws CrewError, or what the relay or a network could not be started for */
export async function runPlan(
  plan: LoadPlan,
  target: Target,
  settings: RunSettings,
  print: (text: string) => void,
): Promise<RunRecord> {
  const links: LinkProcess[] = []
  const watch = new RelayWatch({ pid: target.pid, ops: target.ops })
  let crew: Crew | null = null
  const timers: (() => void)[] = []
  try {
    for (const [index, { down, up }] of plan.links.entries()) {
      links.push(await LinkProcess.start(target, { down, up }, settings.seed + index))
    }
    const processes = settings.workers ?? workersFor(plan, availableParallelism())
    crew = await Crew.start(processes)
    const idle = await watch.look()
    const startAt = machineClock.now() + LEAD_MS
    const from = startAt + plan.warmupMs
    const to = from + measuredMs(plan)
    for (const [index, { changes }] of plan.links.entries()) {
      for (const { atMs, ...ends } of changes) {
        timers.push(after(from + atMs, () => links[index]!.change(ends)))
      }
    }
    const measured = measure(watch, from, to)
    const played = crew.play(
      split(plan, target, links, processes, settings.seed),
      startAt,
      progressPrinter(plan, from, print),
    )
    // A worker that fails ends the run at once.
    const [workers, samples] = await Promise.all([played, measured])
    return {
      plan,
      from,
      to,
      workers,
      ...samples,
      idleRssBytes: idle.process?.rssBytes ?? null,
      relaySamples: watch.samples,
    }
  } finally {
    for (const cancel of timers) cancel()
    watch.stop()
    crew?.stop()
    for (const link of links) link.stop()
  }
}

async function measure(
  watch: RelayWatch,
  from: number,
  to: number,
): Promise<Pick<RunRecord, 'relay' | 'machineBusy' | 'udpPackets'>> {
  await until(from)
  const [before, packetsBefore] = await Promise.all([watch.look(), sampleUdpPackets()])
  const machineBefore = sampleMachine()
  await until(to)
  const [after, packetsAfter] = await Promise.all([watch.look(), sampleUdpPackets()])
  const counted = packetsBefore !== null && packetsAfter !== null
  return {
    relay: { before, after },
    machineBusy: busyShare(machineBefore, sampleMachine()),
    udpPackets: counted ? packetsAfter - packetsBefore : null,
  }
}

/** Publishers and watchers are dealt out each for themselves: both cost, in different ways. */
function split(
  plan: LoadPlan,
  target: Target,
  links: readonly LinkProcess[],
  workers: number,
  seed: number,
): WorkerPlan[] {
  const shares = Array.from({ length: workers }, (): PlacedParticipant[] => [])
  const senders = plan.participants.filter(({ publishes }) => publishes.length > 0)
  const others = plan.participants.filter(({ publishes }) => publishes.length === 0)
  for (const [index, participant] of [...senders, ...others].entries()) {
    const link = participant.link === null ? undefined : links[participant.link]
    const url = target.roomUrls.get(participant.room) ?? target.url
    const place = link ? throughLink(target, link.port) : { url, trust: target.trust }
    shares[index % workers]!.push({ ...participant, ...place })
  }
  const { warmupMs, phases, epochChanges, mls, compareBytes, lateMs } = plan
  return shares.map((participants, index) => ({
    participants,
    warmupMs,
    phases,
    epochChanges,
    mls,
    compareBytes,
    lateMs,
    seed: seed + 1000 * (index + 1),
  }))
}

/** A line each second in short runs, each half minute in long ones, else every five seconds. */
function progressPrinter(
  plan: LoadPlan,
  from: number,
  print: (text: string) => void,
): (progress: WorkerProgress) => void {
  const measured = measuredMs(plan)
  const every = measured > 300_000 ? 30 : measured > 15_000 ? 5 : 1
  let beats = 0
  let last: { readonly at: number; readonly progress: WorkerProgress } | null = null
  return (progress) => {
    if (beats++ % every !== 0) return
    const at = machineClock.now()
    const seconds = (at - from) / 1000
    const spent = last ? (at - last.at) / 1000 : 1
    const objects = progress.received - (last?.progress.received ?? 0)
    const bits = 8 * (progress.receivedBytes - (last?.progress.receivedBytes ?? 0))
    last = { at, progress }
    print(
      `${plan.name} ${seconds.toFixed(0).padStart(4)} s: ` +
        `${progress.joined} of ${plan.participants.length} there, ` +
        `${Math.round(objects / spent)} objects/s, ${(bits / spent / 1e6).toFixed(1)} Mbit/s received\n`,
    )
  }
}

function after(time: number, task: () => void): () => void {
  return machineClock.after(Math.max(0, time - machineClock.now()), task)
}

function until(time: number): Promise<void> {
  return new Promise((resolve) => {
    after(time, resolve)
  })
}
