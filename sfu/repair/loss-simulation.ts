/**
 * For tests: enhancement frames as datagrams over a lossy path, with losses repaired by asking again, by
 * parity, or not at all; counts the frames that can be decoded in time and what that costs. The planner is
 * the real one, time is simulated, and chance is seeded.
 */

import { RepairPlanner } from '../../moq/media/repair-planner.ts'

export type Remedy =
  | { readonly kind: 'none' }
  | { readonly kind: 'repair' }
  /** One XOR of all fragments of a frame. */
  | { readonly kind: 'frame-parity' }
  /** One XOR of so many fragments in a row, over frames. */
  | { readonly kind: 'block-parity'; readonly size: number }

export interface Scenario {
  readonly remedy: Remedy
  /** Share of packets that are lost. */
  readonly loss: number
  /** Packets of a burst on average; 1: each on its own. */
  readonly burst: number
  readonly rttMs: number
  /** Fragments of a frame of layer 1, and of layer 2. */
  readonly fragments: readonly [number, number]
  readonly seconds: number
  readonly seed: number
}

export interface Outcome {
  /** Share of the enhancement frames that could be decoded within the deadline. */
  readonly decodable: number
  /** Datagrams and answers beyond the fragments themselves, as a share of these. */
  readonly overhead: number
}

const FRAME_MS = 1000 / 30
const DEADLINE_MS = 150
/** Between the packets of a frame, and how much the path varies, ms. */
const SPACING_MS = 1
const JITTER_MS = 4
const GROUP_FRAMES = 60
/** Between two tries of a stream's packet, in RTTs: the loss has to be seen first. */
const RETRY_RTTS = 1.25

interface Fragment {
  readonly group: number
  readonly object: number
  readonly frame: number
  readonly behind: number
  readonly sentAt: number
  arrivedAt: number
}

interface Parity {
  readonly covers: readonly Fragment[]
  readonly arrivedAt: number
}

/** mulberry32 */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Gilbert's channel: in its bad state everything is lost. */
class Path {
  private readonly random: () => number
  private readonly enter: number
  private readonly leave: number
  private readonly single: number | null
  private bad = false

  constructor(loss: number, burst: number, random: () => number) {
    this.random = random
    this.single = burst <= 1 ? loss : null
    this.leave = 1 / burst
    this.enter = (this.leave * loss) / (1 - loss)
  }

  get loses(): boolean {
    if (this.single !== null) return this.random() < this.single
    this.bad = this.random() < (this.bad ? 1 - this.leave : this.enter)
    return this.bad
  }
}

export function simulate(scenario: Scenario): Outcome {
  const random = randomOf(scenario.seed)
  const path = new Path(scenario.loss, scenario.burst, random)
  const oneWay = () => scenario.rttMs / 2 + random() * JITTER_MS
  const { fragments, parities } = send(scenario, path, oneWay)
  const answers =
    scenario.remedy.kind === 'repair' ? repair(scenario, fragments, random, oneWay) : 0
  for (const parity of parities) recover(parity)
  return {
    decodable: decodableShare(fragments, scenario),
    overhead: (parities.length + answers) / fragments.length,
  }
}

/** Layers 2, 1, 2 follow a base frame, which goes on a stream and always comes. */
const LAYERS = [0, 2, 1, 2] as const

function send({ remedy, fragments: counts, seconds }: Scenario, path: Path, oneWay: () => number) {
  const fragments: Fragment[] = []
  const parities: Parity[] = []
  let block: Fragment[] = []
  const addParity = (covers: readonly Fragment[], sentAt: number) =>
    parities.push({ covers, arrivedAt: path.loses ? Number.POSITIVE_INFINITY : sentAt + oneWay() })
  let object = 0
  for (let frame = 0; frame < seconds * 30; frame++) {
    if (frame % GROUP_FRAMES === 0) object = 0
    const layer = LAYERS[frame % 4]!
    if (layer === 0) {
      object++
      continue
    }
    const count = counts[layer - 1]!
    const own: Fragment[] = []
    for (let index = 0; index < count; index++) {
      const sentAt = frame * FRAME_MS + index * SPACING_MS
      const arrivedAt = path.loses ? Number.POSITIVE_INFINITY : sentAt + oneWay()
      const group = Math.floor(frame / GROUP_FRAMES)
      const behind = count - 1 - index
      const fragment = { group, object: object++, frame, behind, sentAt, arrivedAt }
      own.push(fragment)
      block.push(fragment)
      if (remedy.kind !== 'block-parity' || block.length < remedy.size) continue
      addParity(block, sentAt + SPACING_MS)
      block = []
    }
    fragments.push(...own)
    if (remedy.kind === 'frame-parity') addParity(own, own.at(-1)!.sentAt + SPACING_MS)
  }
  return { fragments, parities }
}

/** Asks again as the planner says. @returns objects that were answered */
function repair(
  { rttMs, loss, seconds }: Scenario,
  fragments: readonly Fragment[],
  random: () => number,
  oneWay: () => number,
): number {
  const planner = new RepairPlanner(0, { deadlineMs: DEADLINE_MS })
  const byPlace = new Map(fragments.map((one) => [`${one.group}/${one.object}`, one]))
  const arrivals = arrivalsOf(fragments, seconds, rttMs)
  let answers = 0
  // A request, or its answer, is a packet of a stream: lost, it goes again.
  const tries = () => {
    let after = 0
    while (random() < loss) after += rttMs * RETRY_RTTS
    return after
  }
  for (let now = 0; now < arrivals.length; now++) {
    for (const { group, object, behind } of arrivals[now]!) {
      planner.received(now, group, object, { behind })
    }
    for (const range of planner.poll(now, rttMs)) {
      const asked = now + tries() + oneWay()
      for (let object = range.first; object <= range.last; object++) {
        const fragment = byPlace.get(`${range.group}/${object}`)
        if (!fragment) continue
        answers++
        const at = asked + tries() + oneWay()
        fragment.arrivedAt = Math.min(fragment.arrivedAt, at)
        arrivals[Math.ceil(at)]?.push(fragment)
      }
    }
  }
  return answers
}

/** By millisecond; base frames come too, on their stream. */
function arrivalsOf(fragments: readonly Fragment[], seconds: number, rttMs: number) {
  const arrivals: { group: number; object: number; behind: number }[][] = Array.from(
    { length: seconds * 1000 + 1000 },
    () => [],
  )
  for (const fragment of fragments) arrivals[Math.ceil(fragment.arrivedAt)]?.push(fragment)
  const firsts = new Map<number, Fragment>()
  for (const fragment of fragments)
    if (!firsts.has(fragment.frame)) firsts.set(fragment.frame, fragment)
  for (const { frame, group, object, sentAt } of firsts.values()) {
    if (frame % 4 !== 1) continue
    const at = sentAt - FRAME_MS + rttMs / 2
    arrivals[Math.max(0, Math.ceil(at))]!.push({ group, object: object - 1, behind: 0 })
  }
  return arrivals
}

/** A parity gives back the one fragment that it covers and that did not come. */
function recover({ covers, arrivedAt }: Parity): void {
  const absent = covers.filter((fragment) => fragment.arrivedAt === Number.POSITIVE_INFINITY)
  if (absent.length !== 1 || arrivedAt === Number.POSITIVE_INFINITY) return
  const others = covers.filter((fragment) => fragment !== absent[0])
  absent[0]!.arrivedAt = Math.max(arrivedAt, ...others.map((fragment) => fragment.arrivedAt))
}

function decodableShare(fragments: readonly Fragment[], { rttMs, seconds }: Scenario): number {
  const whole = new Map<number, boolean>()
  for (const { frame, sentAt, arrivedAt } of fragments) {
    const inTime = arrivedAt <= sentAt + rttMs / 2 + DEADLINE_MS
    whole.set(frame, (whole.get(frame) ?? true) && inTime)
  }
  let decodable = 0
  for (const [frame, isWhole] of whole) {
    // The second frame of layer 2 stands on the one of layer 1 before it.
    if (isWhole && (frame % 4 !== 3 || whole.get(frame - 1))) decodable++
  }
  return decodable / (seconds * 30 * 0.75)
}
