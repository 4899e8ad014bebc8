import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeMediaProperties } from '../../moq/media/index.ts'
import { type AssembledFrame, FrameAssembler, type VideoObject } from './assemble.ts'
import { VideoPacketizer } from './packetize.ts'
import { type PickedRendition, type Picture, RenditionPicker } from './rendition-picker.ts'

interface FakePicture extends Picture {
  readonly rendition: number
}

/** A decoder that gives a picture a frame when it is told to. */
class FakeRendition implements PickedRendition {
  readonly id: number
  readonly decoded: AssembledFrame[] = []
  private readonly world: World
  private waiting: AssembledFrame[] = []
  rests = 0
  onRest = () => {}

  constructor(id: number, world: World) {
    this.id = id
    this.world = world
  }

  decode(frame: AssembledFrame): void {
    this.decoded.push(frame)
    this.waiting.push(frame)
  }

  rest(): void {
    this.rests++
    this.waiting = []
    this.onRest()
  }

  /** The decoder brings its pictures. */
  output(most = Number.POSITIVE_INFINITY): void {
    for (const { timestamp } of this.waiting.splice(0, most)) {
      this.world.open++
      const close = () => this.world.open--
      this.world.picker.onPicture(this.id, { timestamp, close, rendition: this.id })
    }
  }
}

class World {
  now = 0
  /** Pictures that nobody closed. */
  open = 0
  readonly shown: FakePicture[] = []
  readonly changes: number[] = []
  readonly picker = new RenditionPicker<FakePicture>({
    now: () => this.now,
    onPicture: (picture) => {
      this.shown.push(picture)
      picture.close()
    },
    onChange: (id) => this.changes.push(id),
  })
  readonly renditions = [0, 1, 2].map((id) => new FakeRendition(id, this))

  constructor() {
    for (const rendition of this.renditions) this.picker.add(rendition.id, rendition)
  }

  /** A frame that is decoded at once; the first of a group is a key frame. */
  give(id: number, number: number, ms: number, decoded = true): void {
    this.now = ms
    this.picker.onFrame(id, frameOf(number, ms))
    if (decoded) this.renditions[id]!.output()
  }

  get pictures(): string[] {
    return this.shown.map(({ rendition, timestamp }) => `${rendition}@${timestamp / 1000}`)
  }
}

function frameOf(number: number, ms: number): AssembledFrame {
  return {
    group: 0,
    number,
    bytes: new Uint8Array(0),
    timestamp: ms * 1000,
    key: number === 0,
    temporalLayer: 0,
    discardable: false,
  }
}

describe('a picker of renditions', () => {
  it('goes on with the old rendition until the new one has a picture, and then lets it rest', () => {
    const world = new World()
    world.give(0, 0, 0)
    world.give(0, 1, 33)
    world.give(1, 0, 66, false)
    world.give(0, 2, 66)
    expect(world.picker.shown).toBe(0)
    expect(world.renditions[0]!.rests).toBe(0)
    world.renditions[1]!.output()
    expect(world.picker.shown).toBe(1)
    expect(world.renditions[0]!.rests).toBe(1)
    world.give(0, 3, 99)
    world.give(1, 1, 99)
    expect(world.pictures).toEqual(['0@0', '0@33', '0@66', '1@66', '1@99'])
    expect(world.open).toBe(0)
    expect(world.changes).toEqual([0, 1])
  })

  it('takes over at a key frame that begins a group, never in the middle', () => {
    const world = new World()
    world.give(0, 0, 0)
    world.give(1, 4, 33)
    world.picker.onFrame(1, { ...frameOf(6, 66), key: true })
    expect(world.renditions[1]!.decoded).toEqual([])
    world.give(1, 0, 99)
    expect(world.picker.shown).toBe(1)
  })

  it('shows nothing older than what was shown: a new rendition has to catch up first', () => {
    const world = new World()
    world.give(0, 0, 500)
    world.picker.onFrame(1, frameOf(0, 400))
    world.picker.onFrame(1, frameOf(1, 433))
    world.renditions[1]!.output()
    expect(world.pictures).toEqual(['0@500'])
    world.give(0, 1, 533)
    world.give(1, 2, 540)
    expect(world.pictures).toEqual(['0@500', '0@533', '1@540'])
    expect(world.open).toBe(0)
  })

  it('does not wait for a rendition to catch up when the clock of its publisher was set back', () => {
    const world = new World()
    world.give(0, 0, 5000)
    world.now = 6000
    world.picker.onFrame(1, frameOf(0, 1000))
    world.renditions[1]!.output()
    expect(world.pictures).toEqual(['0@5000', '1@1000'])
  })

  it('gives up a rendition that brings nothing more, and goes on with the old one', () => {
    const world = new World()
    world.give(0, 0, 1000)
    world.picker.onFrame(1, frameOf(0, 10))
    world.renditions[1]!.output()
    for (let ms = 1033; ms < 3100; ms += 33) world.give(0, 1, ms)
    world.picker.poll()
    expect(world.renditions[1]!.rests).toBe(1)
    expect(world.picker.shown).toBe(0)
  })

  it('keeps to the one that is chosen, where one is', () => {
    const world = new World()
    world.give(0, 0, 0)
    world.picker.restrictTo(2)
    world.give(1, 0, 33)
    expect(world.renditions[1]!.decoded).toEqual([])
    world.give(0, 1, 40)
    world.give(2, 0, 66)
    expect(world.pictures).toEqual(['0@0', '0@40', '2@66'])
  })

  it('lets only those ask for a key frame that are shown or about to be', () => {
    const world = new World()
    expect([0, 1].map((id) => world.picker.mayAskForKey(id))).toEqual([true, true])
    world.give(0, 0, 0)
    expect([0, 1].map((id) => world.picker.mayAskForKey(id))).toEqual([true, false])
    world.give(1, 0, 10, false)
    expect(world.picker.mayAskForKey(1)).toBe(true)
    // Nothing of what is shown comes: whoever comes instead may ask.
    world.now = 300
    expect(world.picker.mayAskForKey(2)).toBe(true)
    world.picker.restrictTo(2)
    expect([0, 1, 2].map((id) => world.picker.mayAskForKey(id))).toEqual([false, false, true])
  })

  it('forgets a rendition that ends', () => {
    const world = new World()
    world.give(0, 0, 0)
    world.picker.remove(0)
    expect(world.picker.shown).toBe(-1)
    world.give(1, 0, 33)
    expect(world.pictures).toEqual(['0@0', '1@33'])
  })

  it('gives each decoder what it can decode and shows it in order, whatever is lost, late or repeated', () => {
    fc.assert(
      fc.property(scenario, (events) => {
        const run = new Run()
        for (const event of events) run.arrive(event)
        run.finish()
        for (const { id } of run.world.renditions) run.expectDecodable(id)
        expect(run.world.open).toBe(0)
        let last = Number.NEGATIVE_INFINITY
        for (const { timestamp } of run.world.shown) {
          expect(timestamp).toBeGreaterThanOrEqual(last)
          last = timestamp
        }
        // The last group of rendition 1 came whole, after all else.
        expect(run.world.shown.at(-1)).toMatchObject({ rendition: 1 })
      }),
      { numRuns: 100 },
    )
  })
})

const GROUP = 8
const GROUPS = 4

interface Arrival {
  /** Rendition, and place in its objects. */
  readonly rendition: number
  readonly at: number
  readonly delay: number
  readonly lost: boolean
  readonly twice: boolean
  /** The decoder brings its pictures behind it. */
  readonly outputs: boolean
}

const scenario = fc.array(
  fc.record({
    rendition: fc.integer({ min: 0, max: 1 }),
    at: fc.nat(200),
    delay: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 600 })),
    lost: fc.boolean(),
    twice: fc.boolean(),
    outputs: fc.boolean(),
  }),
  { maxLength: 120 },
)

/** Three layers of a rendition, in groups of `GROUP` frames. */
function objectsOf(rendition: number): VideoObject[] {
  const packetizer = new VideoPacketizer({ temporalLayers: 3, firstGroup: rendition * 100 })
  const objects: VideoObject[] = []
  for (let f = 0; f < GROUP * GROUPS; f++) {
    const frame = {
      bytes: new Uint8Array(1500),
      timestamp: f * 33_000,
      key: f % GROUP === 0,
      temporalLayer: [0, 2, 1, 2][f % 4]!,
    }
    for (const { group, object, payload, immutable } of packetizer.packetize(frame, 1200)) {
      objects.push({ group, object, payload, media: decodeMediaProperties(immutable) })
    }
  }
  return objects
}

/** Two renditions through assemblers and a picker into decoders. */
class Run {
  readonly world = new World()
  private readonly objects = [objectsOf(0), objectsOf(1)]
  /** For each rendition the frames that its decoder knows since it last rested. */
  private readonly sequences: AssembledFrame[][] = [[], []]
  private readonly assemblers = [0, 1].map(
    (id) =>
      new FrameAssembler({
        now: () => this.world.now,
        onFrame: (frame) => this.world.picker.onFrame(id, frame),
        onKeyFrameNeeded: () => {},
      }),
  )

  constructor() {
    for (const id of [0, 1]) {
      const rendition = this.world.renditions[id]!
      const { decode } = rendition
      rendition.decode = (frame) => {
        this.sequences[id]!.push(frame)
        decode.call(rendition, frame)
      }
      rendition.onRest = () => {
        this.expectDecodable(id)
        this.sequences[id] = []
        this.assemblers[id]!.rest()
      }
    }
  }

  arrive({ rendition, at, delay, lost, twice, outputs }: Arrival): void {
    const object = this.objects[rendition]![at % this.objects[rendition]!.length]!
    this.world.now += delay
    if (!lost) for (let i = twice ? 2 : 1; i > 0; i--) this.assemblers[rendition]!.push(object)
    for (const assembler of this.assemblers) assembler.poll()
    this.world.picker.poll()
    if (outputs) for (const one of this.world.renditions) one.output(2)
  }

  /** What came last, in order. */
  finish(): void {
    const lastGroup = 100 + GROUPS - 1
    this.world.now += 5000
    for (const one of this.world.renditions) one.output()
    this.world.now += 5000
    const packetizer = new VideoPacketizer({ temporalLayers: 3, firstGroup: lastGroup + 1 })
    for (let f = 0; f < GROUP; f++) {
      const frame = {
        bytes: new Uint8Array(10),
        timestamp: (GROUP * GROUPS + f) * 33_000,
        key: f === 0,
        temporalLayer: [0, 2, 1, 2][f % 4]!,
      }
      for (const { group, object, payload, immutable } of packetizer.packetize(frame, 1200)) {
        const media = decodeMediaProperties(immutable)
        this.assemblers[1]!.push({ group, object, payload, media })
      }
    }
    for (const one of this.world.renditions) one.output()
  }

  /** A key frame first, then only frames all of whose references the decoder had. */
  expectDecodable(id: number): void {
    const known = new Set<string>()
    for (const { group, number, key } of this.sequences[id] ?? []) {
      if (key) known.clear()
      for (const reference of references(number)) expect(known).toContain(`${group} ${reference}`)
      known.add(`${group} ${number}`)
    }
  }
}

function references(number: number): number[] {
  const phase = number % 4
  const base = number - phase
  if (phase === 0) return number === 0 ? [] : [number - 4]
  return phase === 3 ? [base, base + 2] : [base]
}
