import { encodeMediaProperties } from '../../moq/media/index.ts'
import { namespaceOf, trackOf } from '../../moq/wire/names.ts'
import { MoqObject, ObjectStatus } from '../../moq/wire/object.ts'
import { encodeSubgroupBody } from '../../moq/wire/subgroup.ts'
import { encodeHeader } from '../../sframe/header.ts'
import { mlsKid } from '../../sframe/mls.ts'
import {
  type GatedObject,
  JoinWindow,
  KeyFrameGate,
  markingOf,
} from '../../sfu/forward/gate/index.ts'
import { RoomKeys } from '../../sfu/forward/keys/index.ts'
import type { Case, Subject } from './subject.ts'

const PAYLOAD_BYTES = 1100
/** Frames of a group, each of one object: three temporal layers. */
const FRAMES = 60
const LAYERS = [0, 2, 1, 2] as const
const BATCH = 1000

/** What the gate costs on the way of a video object, beside parsing and forwarding it. */
export const gate: Subject = {
  name: 'gate',
  about:
    'one video object: its SFrame header followed, its frame marking read, and decided on for each ' +
    'subscriber, which all get it; nothing is queued',
  cases: () => [
    watching('SFrame header alone', (track) => track.trackKeys()),
    watching('frame marking alone', (track) => track.readMarking()),
    watching('header, marking and window for joiners', (track) => {
      track.readFacts()
      track.addToWindow()
    }),
    ...[1, 10, 100].map((subscribers) => deciding(subscribers)),
  ],
}

function watching(name: string, step: (track: GatedTrack) => void): Case {
  const track = new GatedTrack(0)
  return {
    name,
    operations: BATCH,
    payloadBytes: PAYLOAD_BYTES,
    run() {
      for (let i = 0; i < BATCH; i++) {
        track.next()
        step(track)
      }
      if (track.facts.generation < 0) throw new Error('the object was refused')
      return track.facts.marking
    },
  }
}

function deciding(subscribers: number): Case {
  const track = new GatedTrack(subscribers)
  return {
    name: `all, to ${subscribers}`,
    operations: BATCH,
    payloadBytes: PAYLOAD_BYTES,
    run() {
      let passed = 0
      for (let i = 0; i < BATCH; i++) {
        track.next()
        track.readFacts()
        passed += track.decide()
      }
      if (passed !== BATCH * subscribers) throw new Error(`${passed} objects passed`)
      return passed
    },
  }
}

type Facts = { -readonly [Name in keyof GatedObject]: GatedObject[Name] }

/** A publisher's video track that loses nothing, and the gates of its subscribers. */
class GatedTrack {
  readonly facts: Facts = { group: -1, object: 0, subgroup: 0, marking: 0, generation: 0 }
  private readonly objects = Array.from({ length: FRAMES }, (_, frame) => objectOf(frame))
  private readonly keys = new RoomKeys().open(trackOf(namespaceOf('sotto', 'r', 'p'), 'video/0'))!
  private readonly window = new JoinWindow()
  private readonly gates: KeyFrameGate[]
  private object = this.objects[0]!
  private at = 0
  private counter = FIRST_COUNTER

  constructor(subscribers: number) {
    this.gates = Array.from({ length: subscribers }, () => new KeyFrameGate())
  }

  next(): void {
    const { facts } = this
    if (this.at === 0) facts.group++
    this.object = this.objects[this.at]!
    facts.object = this.at
    facts.subgroup = this.object.subgroup ?? -1
    this.at = (this.at + 1) % FRAMES
    this.writeCounter()
  }

  trackKeys(): void {
    const { body, payloadLength } = this.object
    this.facts.generation = this.keys.keys.read(body, body.length - payloadLength, 0)
  }

  readMarking(): void {
    this.facts.marking = markingOf(this.object.properties, this.object.object)
  }

  readFacts(): void {
    this.trackKeys()
    this.readMarking()
  }

  addToWindow(): void {
    this.window.add(this.facts, PAYLOAD_BYTES, 0)
  }

  decide(): number {
    let passed = 0
    for (const each of this.gates) if (each.decide(this.facts) === 'forward') passed++
    return passed
  }

  /** In place; four bytes last longer than any measurement. */
  private writeCounter(): void {
    const { body, payloadLength } = this.object
    const at = body.length - payloadLength + COUNTER_AT
    const counter = this.counter++
    body[at] = counter >>> 24
    body[at + 1] = (counter >>> 16) & 0xff
    body[at + 2] = (counter >>> 8) & 0xff
    body[at + 3] = counter & 0xff
  }
}

const KID = mlsKid({ context: 3, leaf: 5, epoch: 9 })
/** The smallest that takes four bytes. */
const FIRST_COUNTER = 0x100_0000
const COUNTER_AT = encodeHeader(KID, FIRST_COUNTER).length - 4

function objectOf(frame: number): MoqObject {
  const temporal = LAYERS[frame % LAYERS.length]!
  const { properties } = encodeMediaProperties({
    timestamp: 1_700_000_000_000_000 + frame,
    frame,
    frameMarking: {
      start: true,
      end: true,
      independent: frame === 0,
      discardable: temporal === 2,
      layer: {
        temporal,
        spatial: 0,
        // A group's base frames count on from the last group's.
        baseIndex: Math.floor(frame / LAYERS.length),
        baseSync: temporal > 0 && frame % LAYERS.length !== 3,
      },
    },
  })
  const payload = new Uint8Array(PAYLOAD_BYTES)
  payload.set(encodeHeader(KID, FIRST_COUNTER))
  const body = encodeSubgroupBody(properties, payload)
  const subgroup = temporal === 0 ? 0 : null
  return new MoqObject(
    0,
    subgroup,
    frame,
    null,
    ObjectStatus.NORMAL,
    false,
    body,
    1,
    properties.length,
    body.length - PAYLOAD_BYTES,
  )
}
