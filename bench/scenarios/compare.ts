import { count, type TargetOptions } from '../load/options.ts'
import { roomsOf, steadyPlan } from '../load/people.ts'
import type { Goal, RunReport } from '../load/report/figures.ts'
import { loadScenario } from '../load/scenario.ts'
import { UsageError } from '../scenario.ts'

const DEFAULT_ROUNDS = 2
const OURS = 'ours'
const PEER = 'peer'

/** The same load on two relays in turn, so that what the machine does meets both. */
export const compare = loadScenario({
  name: 'compare',
  summary: 'The same fan-out through our relay and through another, in turns.',
  usage:
    '--peer <url> [--peer-pid <number>] [--peer-certificate <sha256>] ' +
    `[--rounds <n, default ${DEFAULT_ROUNDS}>]`,
  options: {
    peer: { type: 'string' },
    'peer-pid': { type: 'string' },
    'peer-certificate': { type: 'string' },
    rounds: { type: 'string' },
  },
  defaults: {
    publishers: 1,
    subscribers: 50,
    rooms: 1,
    profile: 'video',
    renditions: 1,
    managed: false,
    durationS: 15,
  },
  *steps(options, values) {
    const { peer, 'peer-certificate': certificate } = values
    if (typeof peer !== 'string')
      throw new UsageError('--peer is missing: the URL of the other relay')
    const other: TargetOptions = {
      url: peer,
      certificate: typeof certificate === 'string' ? certificate : null,
      pid: values['peer-pid'] === undefined ? null : count(values, 'peer-pid', 1, 1, 2 ** 22),
      ops: null,
    }
    const people = roomsOf(options, false)
    const rounds = count(values, 'rounds', DEFAULT_ROUNDS)
    for (let round = 1; round <= rounds; round++) {
      yield { plan: steadyPlan(`${OURS} ${round}`, people, options) }
      yield { plan: steadyPlan(`${PEER} ${round}`, people, options), target: other }
    }
  },
  conclude: comparison,
})

/** Each figure of ours beside the other's: medians over the rounds, and how many times the other's it is. */
export function comparison(runs: readonly RunReport[]): Goal[] {
  const row = (name: string, unit: string, of: (run: RunReport) => number | null | undefined) => {
    const median = (who: string) => {
      const values = runs.filter((run) => run.name.startsWith(`${who} `)).map(of)
      return medianOf(values.filter((value) => typeof value === 'number'))
    }
    const [ours, peers] = [median(OURS), median(PEER)]
    return {
      name,
      value: `${OURS} ${text(ours, unit)}, ${PEER} ${text(peers, unit)}${ratio(ours, peers)}`,
    }
  }
  return [
    row('received', 'objects/s', ({ objectsPerSecond }) => objectsPerSecond),
    row('lost', 'objects', ({ objects }) => objects.lost),
    row('audio delay p50', 'ms', ({ latencyMs }) => latencyMs.audio?.p50),
    row('audio delay p99', 'ms', ({ latencyMs }) => latencyMs.audio?.p99),
    row('base layer delay p99', 'ms', ({ latencyMs }) => latencyMs['video-t0']?.p99),
    row('join p95', 'ms', ({ joinMs }) => joinMs.p95),
    row('CPU', 's a million objects', ({ relay }) => relay?.cpuSecondsPerMillionObjects),
    row('CPU', 's a Gbit', ({ relay }) => relay?.cpuSecondsPerGigabit),
    row('memory', 'bytes a participant', ({ relay }) => relay?.rssBytesPerParticipant),
  ]
}

function medianOf(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  if (sorted.length === 0) return null
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Empty where there is none. */
function ratio(ours: number | null, peers: number | null): string {
  return ours === null || peers === null || peers === 0 ? '' : ` (${round(ours / peers)} times)`
}

function text(value: number | null, unit: string): string {
  return value === null ? 'unknown' : `${round(value)} ${unit}`
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
