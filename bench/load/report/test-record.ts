/** For tests: a run of one publisher and its watchers, written by hand. */

import { Lateness } from '../figures/lateness.ts'
import { ReceiverFigures } from '../figures/receiver-figures.ts'
import { SentLedger } from '../figures/sent-ledger.ts'
import { Timeline } from '../figures/timeline.ts'
import { OBJECT_CLASSES } from '../media/object-class.ts'
import type { ParticipantData } from '../participant/participant.ts'
import type { LoadPlan, ParticipantPlan } from '../plan.ts'
import type { RunRecord } from '../run.ts'
import type { RelaySample } from '../target/relay-watch.ts'

const PLACE = { room: 'r', participant: 'p0', track: 'audio' }

export interface Watcher {
  readonly managed?: boolean
  readonly firstAt: number | null
  readonly leftAt?: number
  /** Objects of audio, and of the T2 of a camera, that came. */
  readonly audio: number
  readonly video?: number
  readonly checksums?: readonly number[]
}

/**
 * From 0 to 1000 ms it sent an object of each of both tracks each 100 ms: ten of each.
 */
export function recordOf(watchers: readonly Watcher[]): RunRecord {
  const [audio, video] = [new SentLedger(), new SentLedger()]
  for (let index = 0; index < 10; index++) {
    audio.add(1, index, index * 100, 'audio', 50, 1000 + index)
    video.add(1, index, index * 100, 'video-t2', 500, 2000 + index)
  }
  const publisher: ParticipantData = {
    ...participant('p0', 'publishers'),
    sent: [audio.toData(PLACE), video.toData({ ...PLACE, track: 'video/0' })],
  }
  const figures = new ReceiverFigures()
  const timeline = new Timeline(0, 1000)
  for (const watcher of watchers) enter(figures, timeline, watcher)
  const people = watchers.map((watcher, index) => watching(`s${index}`, watcher))
  return {
    plan: plan(people.length + 1),
    from: 0,
    to: 1000,
    workers: [
      {
        participants: [publisher, ...people],
        labels: [{ label: 'subscribers', phases: [figures.toData()], timeline: timeline.steps }],
        lateness: new Lateness().toData(),
        cpuCores: 0.1,
        rssBytes: 3e6,
      },
    ],
    relay: { before: sample(0, 1, 100), after: sample(1000, 1.5, 130) },
    idleRssBytes: 50e6,
    relaySamples: [sample(-1000, 0.9, 90), sample(0, 1, 100), sample(1000, 1.5, 130)],
    machineBusy: 0.5,
    udpPackets: 400,
  }
}

function plan(participants: number): LoadPlan {
  const anybody: ParticipantPlan = {
    id: 'x',
    leaf: 0,
    room: 'r',
    label: 'subscribers',
    publishes: [],
    watches: [],
    managed: false,
    followsFeedback: false,
    link: null,
    joinAtMs: 0,
    leaveAtMs: null,
  }
  return {
    name: 'by hand <1>',
    participants: new Array(participants).fill(anybody),
    links: [],
    warmupMs: 0,
    phases: [{ name: 'all', ms: 1000 }],
    epochChanges: [],
    mls: null,
    compareBytes: true,
    lateMs: 300,
  }
}

function participant(id: string, label: string): ParticipantData {
  return {
    id,
    room: 'r',
    label,
    managed: false,
    joinMs: 20,
    keysMs: null,
    firstObjectMs: null,
    firstPictureMs: null,
    joinedAt: -2000,
    leftAt: null,
    epochs: [],
    faults: [],
    sent: [],
    received: [],
  }
}

function watching(id: string, watcher: Watcher): ParticipantData {
  const { managed = false, firstAt, leftAt = null, audio, video = 0, checksums = [] } = watcher
  const counts = (index: number, count: number) =>
    OBJECT_CLASSES.map((_, at) => (at === index ? count : 0))
  return {
    ...participant(id, 'subscribers'),
    managed,
    leftAt,
    firstObjectMs: 40,
    received: [
      {
        publisher: 'p0',
        track: 'audio',
        watchedAt: -2000,
        firstAt,
        received: [counts(0, audio)],
        checksums: Float64Array.from(checksums),
      },
      {
        publisher: 'p0',
        track: 'video/0',
        watchedAt: -2000,
        firstAt,
        received: [counts(3, video)],
        checksums: new Float64Array(0),
      },
    ],
  }
}

function enter(figures: ReceiverFigures, timeline: Timeline, { audio, video = 0 }: Watcher): void {
  for (let index = 0; index < audio; index++) figures.arrived('audio', 50, 5, false)
  for (let index = 0; index < video; index++) figures.arrived('video-t2', 500, 8, false)
  timeline.at(0)!.objects += audio + video
  timeline.frame(0, 0, 2)
}

function sample(at: number, cpuSeconds: number, forwarded: number): RelaySample {
  return {
    at,
    process: { cpuSeconds, rssBytes: 80e6 },
    forwarded,
    dropped: { overflow: at < 1000 ? 0 : 4, deadline: 0 },
    lagMs: 1.5,
    waitingBytes: 10,
  }
}
