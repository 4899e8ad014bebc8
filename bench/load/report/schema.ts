#!/usr/bin/env node
/**
 * The schema of a load scenario's JSON. The file beside it is for other programs; it is written by
 * `node bench/load/report/schema.ts`, and a test looks at what a run reports with it.
 */

import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import type { SuiteName } from '../../../moq/delivery/index.ts'
import { OBJECT_CLASSES } from '../media/object-class.ts'
import { PROFILES } from '../media/profile.ts'
import { LOAD_SCHEMA_VERSION, type LoadReport } from './figures.ts'

const SUITES = ['x-wing', 'classical', 'p256'] as const satisfies readonly SuiteName[]

const count = z.int().nonnegative()
const number = z.number()
const orNull = number.nullable()

const spread = z
  .strictObject({ p50: orNull, p95: orNull, p99: orNull, max: orNull })
  .describe('ms; null: nothing was measured')

const classCounts = z.strictObject({
  sent: count.describe('by publishers'),
  sentBytes: count,
  expected: count.describe('by all watchers together'),
  received: count,
  receivedBytes: count,
  lost: count,
  withheld: count.describe('left out, or lost, of what a watcher lets the relay choose'),
  late: count,
  duplicate: count,
})
const byClass = <Value extends z.ZodType>(value: Value) =>
  z.partialRecord(z.enum(OBJECT_CLASSES), value)

const stalls = z.strictObject({
  count,
  totalMs: number,
  longestMs: number.describe('of all pauses, also where none was a stall'),
})

const relay = z.strictObject({
  cpuSeconds: orNull,
  cpuCores: orNull,
  rssBytes: orNull.describe('at the end'),
  rssBytesPerParticipant: orNull.describe('above what it took before anybody came'),
  eventLoopLagMsP99: orNull,
  cpuSecondsPerMillionObjects: orNull,
  cpuSecondsPerGigabit: orNull,
  forwarded: orNull.describe('objects'),
  dropped: z.record(z.string(), count).nullable().describe('objects by reason'),
})

const generator = z.strictObject({
  workers: count,
  cpuCores: number.describe('of the busiest worker'),
  lagMsP99: number.describe('of the timers of the worst worker'),
  lateTicks: number.describe('share of ticks more than 10 ms late, 0..1, of the worst worker'),
  rssBytesPerParticipant: number,
  machineBusy: number.describe('share of all cores, 0..1'),
})

const figures = {
  durationS: number,
  participants: z.strictObject({ planned: count, joined: count }),
  objects: z.strictObject({
    ...classCounts.omit({ sentBytes: true, receivedBytes: true }).shape,
    forwarded: orNull.describe('by the relay, as it says'),
    undecryptable: count,
    refused: count.describe('not sent for want of an uplink'),
  }),
  bytes: z.strictObject({ sent: count, received: count }).describe('of payloads'),
  classes: byClass(classCounts).describe('of each class that was sent or came'),
  objectsPerSecond: number.describe('received'),
  megabitsPerSecond: number.describe('received'),
  packetsPerSecond: orNull.describe('UDP packets sent by all processes of the machine'),
  latencyMs: byClass(spread).describe('one way, from before encryption to after decryption'),
  joinMs: spread.describe('from the first packet to an established session'),
  keysMs: spread.describe("from the first packet to the keys of the room's MLS group"),
  firstObjectMs: spread.describe('from the first packet'),
  firstPictureMs: spread.describe('from the first packet'),
  audioGaps: stalls.describe('more than 40 ms between arrivals of one voice'),
  freezes: stalls.describe('more than 500 ms without a picture that can be decoded'),
  bytesIdentical: z.strictObject({ compared: count, different: count }).nullable(),
  epochChanges: z
    .strictObject({ count, ms: spread.describe('from the first member to each other one') })
    .nullable()
    .describe('of MLS groups; null: there were none'),
  relay: relay.nullable().describe('null: nothing is known of its process'),
  generator,
}

const goal = z.strictObject({
  name: z.string(),
  value: z.string().describe('as a person reads it'),
  wanted: z.string().optional(),
  met: z.boolean().nullable().optional().describe('null: could not be measured'),
})

const label = z.strictObject({
  label: z.string(),
  phases: z.array(
    z.strictObject({
      phase: z.string(),
      classes: byClass(classCounts),
      latencyMs: byClass(spread),
      audioGaps: stalls,
      freezes: stalls,
      framesPerSecond: number,
    }),
  ),
  timeline: z.strictObject({
    stepMs: number,
    objectsPerSecond: z.array(number),
    megabitsPerSecond: z.array(number),
    framesPerSecond: z.array(number),
    rendition: z.array(orNull).describe('that most pictures were of'),
    temporalLayer: z.array(orNull).describe('highest'),
  }),
})

const validity = {
  valid: z.boolean().describe('false: the generator had no time left, or nobody got in'),
  invalidBecause: z.array(z.string()),
}

const run = z.strictObject({
  name: z.string(),
  ...validity,
  ...figures,
  goals: z.array(goal),
  labels: z.array(label).describe('participants of one label'),
  relayTimeline: z.strictObject({
    seconds: z.array(number).describe('from the start of measuring'),
    cpuCores: z.array(orNull),
    rssBytes: z.array(orNull),
    eventLoopLagMs: z.array(orNull),
    droppedPerSecond: z.array(orNull),
    waitingBytes: z.array(orNull),
  }),
  latencyDistribution: byClass(z.array(z.tuple([number, number]))).describe(
    'ms, and the share of objects (0..1) that took so long at most',
  ),
  faults: z.array(z.string()).describe('what participants complained of'),
})

export const loadReportSchema = z.strictObject({
  schemaVersion: z.literal(LOAD_SCHEMA_VERSION),
  scenario: z.string(),
  target: z.string().describe("the relay's URL, or `own relay`"),
  machine: z.strictObject({
    cpu: z.string(),
    cores: count,
    memoryBytes: count,
    os: z.string(),
    node: z.string(),
    v8: z.string(),
    loadAverage: number.describe('of the minute before the start'),
  }),
  startedAt: z.iso.datetime(),
  ...validity,
  ...figures,
  settings: z.strictObject({
    publishers: count,
    subscribers: count,
    rooms: count,
    profile: z.enum(PROFILES),
    renditions: count,
    durationMs: number,
    managed: z.boolean(),
    followsFeedback: z.boolean(),
    mls: z.enum(SUITES).nullable(),
    impair: z
      .strictObject({
        rate: number.describe('bits a second'),
        delayMs: number,
        jitterMs: number,
        loss: number.describe('0..1'),
        queueBytes: number,
      })
      .partial()
      .nullable(),
    workers: count.nullable().describe('null: by the size of the load'),
    seed: count,
    relayWorkers: count.describe('processes of the relay started here'),
  }),
  runs: z.array(run),
  conclusions: z.array(goal),
}) satisfies z.ZodType<LoadReport>

export const SCHEMA_FILE = fileURLToPath(new URL('load-report.schema.json', import.meta.url))

/** The text of the schema's file. */
export function schemaText(): string {
  const title = 'What a load scenario of the Sotto benchmarks reports'
  const schema = z.toJSONSchema(loadReportSchema, { reused: 'ref' })
  return `${JSON.stringify({ title, ...schema }, null, 2)}\n`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(SCHEMA_FILE, schemaText())
