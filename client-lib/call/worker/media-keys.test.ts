/** Keys of media over epochs: real members, real keys of media, a simulated network, a manual clock. */

import { describe, expect, it } from 'vitest'
import { ObjectMetadata } from '../../../moq/media/index.ts'
import { participantNamespace } from '../../../moq/media/names.ts'
import { trackOf } from '../../../moq/wire/names.ts'
import { MoqObject, ObjectStatus } from '../../../moq/wire/object.ts'
import { decodeHeader, nobleProvider, parseMlsKid, SenderContext } from '../../../sframe/index.ts'
import { cheapCrypto } from '../../keys/cheap-crypto.ts'
import type { EpochKeys } from '../../keys/index.ts'
import { PlainService } from '../../keys/plain-service.ts'
import { type Participant, SimulatedRoom } from '../../keys/simulated-room.ts'
import { Decryption } from './decryption.ts'
import { MediaKeys, type SendEpoch } from './media-keys.ts'

const FRAME_MS = 40
const AUDIO = 2
const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
const trackFor = (id: string) => trackOf(participantNamespace('room', id), 'audio')

interface Sent {
  readonly from: string
  readonly epoch: number
  readonly object: MoqObject
}

/** A participant that sends a frame of sound now and then, as a call does, and hears the others. */
class Speaker {
  readonly participant: Participant
  readonly keys: MediaKeys
  readonly heard = new Set<string>()
  /** What reached it and was meant for it. */
  readonly due = new Set<string>()
  readonly decryptions = new Map<string, Decryption>()
  readonly switches: number[] = []
  /** When it was told to stop sending under the keys that it had. */
  readonly revocations: number[] = []
  /** No frame goes out under an older one. */
  floor = 0
  gone = false
  private readonly room: SimulatedRoom
  private readonly metadata: ObjectMetadata
  private sender: SenderContext | null = null
  private taken: SendEpoch | null = null
  private group = 0

  constructor(room: SimulatedRoom, participant: Participant) {
    this.room = room
    this.participant = participant
    this.metadata = new ObjectMetadata(trackFor(participant.id))
    const events = {
      onInstalled: () => {
        for (const decryption of this.decryptions.values()) decryption.retry()
      },
      onRevoked: () => {
        this.revocations.push(room.clock.now())
        this.sender = null
        this.taken = null
      },
      onSwitch: () => {
        this.switches.push(room.clock.now())
        participant.work.push(this.renew())
      },
    }
    this.keys = new MediaKeys(room.clock, events, nobleProvider)
    participant.onEpoch = (keys) => {
      if (keys.removed.length > 0) this.floor = keys.epoch
      participant.work.push(this.keys.install(keys))
    }
  }

  get id(): string {
    return this.participant.id
  }

  get failures(): number {
    return [...this.decryptions.values()].reduce((sum, { failures }) => sum + failures, 0)
  }

  async speak(): Promise<Sent | null> {
    if (this.sender === null) return null
    const { floor } = this
    const group = this.group++
    const payload = Uint8Array.of(group >> 8, group)
    const none = new Uint8Array(0)
    const body = await this.sender.encrypt(payload, this.metadata.of(group, 0, none))
    const { epoch, leaf } = parseMlsKid(decodeHeader(body).kid)
    expect(epoch).toBeGreaterThanOrEqual(floor % 256)
    expect(leaf).toBe(this.participant.epochs.find((keys) => keys.epoch % 256 === epoch)!.leaf)
    const status = ObjectStatus.NORMAL
    const object = new MoqObject(group, 0, 0, 0, status, false, body, 0, 0, 0)
    return { from: this.id, epoch, object }
  }

  hear({ from, epoch, object }: Sent): void {
    const joined = this.participant.epochs[0]
    // A call subscribes once it has keys.
    if (joined === undefined || this.gone) return
    if (epoch >= joined.epoch) this.due.add(`${from} ${object.group}`)
    let decryption = this.decryptions.get(from)
    if (decryption === undefined) {
      decryption = new Decryption({
        participantId: from,
        track: trackFor(from),
        keys: this.keys,
        clock: this.room.clock,
        onPlaintext: ({ group }) => void this.heard.add(`${from} ${group}`),
      })
      this.decryptions.set(from, decryption)
    }
    decryption.push(object)
    this.participant.work.push(turn())
  }

  private async renew(): Promise<void> {
    const epoch = this.keys.sendEpoch
    if (epoch === null || epoch === this.taken) return
    this.taken = epoch
    const { leaf, secret } = epoch
    const sender = await SenderContext.forEpoch(secret, { context: AUDIO, leaf })
    if (epoch === this.taken) this.sender = sender
  }
}

class TalkingRoom extends SimulatedRoom {
  readonly speakers: Speaker[] = []
  readonly sent: Sent[] = []
  private readonly crypto = cheapCrypto(this.random)
  private number = 0

  constructor(seed: number, maxDelayMs: number) {
    super(new PlainService(), 'classical', seed, { maxDelayMs })
    this.talk()
  }

  get live(): Speaker[] {
    return this.speakers.filter(({ gone }) => !gone)
  }

  come(): void {
    const id = `p${this.number++}`
    const participant = this.join(id, { crypto: this.crypto })
    this.speakers.push(new Speaker(this, participant))
  }

  go(speaker: Speaker): void {
    speaker.gone = true
    this.leave(speaker.participant)
  }

  private talk(): void {
    this.clock.after(FRAME_MS, () => {
      for (const speaker of this.live) speaker.participant.work.push(this.frameOf(speaker))
      this.talk()
    })
  }

  private async frameOf(speaker: Speaker): Promise<void> {
    const sent = await speaker.speak()
    if (sent === null) return
    this.sent.push(sent)
    const { minDelayMs, maxDelayMs } = this.network
    for (const other of this.live) {
      const delay = minDelayMs + this.random() * (maxDelayMs - minDelayMs)
      if (other !== speaker) this.clock.after(delay, () => other.hear(sent))
    }
  }
}

/** Whoever has these keys tries everything that was sent. */
async function readable(keys: MediaKeys, sent: readonly Sent[]): Promise<Sent[]> {
  const read: Sent[] = []
  for (const one of sent) {
    const metadata = new ObjectMetadata(trackFor(one.from)).of(
      one.object.group,
      0,
      new Uint8Array(0),
    )
    try {
      await keys.receiver.decrypt(one.object.payload, metadata, `try ${one.from}`)
      read.push(one)
    } catch {
      // Not for it.
    }
  }
  return read
}

describe.each([
  [40, 1],
  [40, 2],
  [40, 3],
  [130, 4],
])('a talking room with %i changes of who is there and which keys they have, seed %i', (changes, seed) => {
  it('loses no sound to a missing key, and tells who is removed nothing more', async () => {
    const room = new TalkingRoom(seed, 120)
    for (let i = 0; i < 3; i++) room.come()
    await room.run(3000)
    for (let change = 0; change < changes; change++) {
      const { live } = room
      const chance = room.random()
      const someone = live[Math.floor(room.random() * live.length)]!
      if (live.length < 3 || (chance < 0.4 && live.length < 6)) room.come()
      else if (chance < 0.65) room.go(someone)
      else someone.participant.member.update()
      await room.run(room.random() * 900)
    }
    await room.run(5000)

    let heard = 0
    for (const speaker of room.live) {
      expect(speaker.participant.state).toBe('member')
      expect([speaker.id, speaker.failures]).toEqual([speaker.id, 0])
      expect([...speaker.due].filter((one) => !speaker.heard.has(one))).toEqual([])
      heard += speaker.heard.size
    }
    expect(heard).toBeGreaterThan(1000)
    const gone = room.speakers.filter((speaker) => speaker.gone)
    expect(gone.length).toBeGreaterThan(3)
    let tried = 0
    for (const { keys, participant } of gone) {
      const last = participant.epochs.at(-1)
      if (last === undefined) continue
      const later = room.sent.filter(({ epoch }) => epoch > last.epoch)
      expect(await readable(keys, later)).toEqual([])
      tried += later.length
    }
    expect(tried).toBeGreaterThan(1000)
    // Below 256, where the epochs in key ids would begin again; some changes share a commit.
    const { epoch } = room.live[0]!.participant.last
    expect(epoch).toBeLessThan(256)
    expect(epoch).toBeGreaterThan(changes === 130 ? 100 : 20)
  }, 60_000)
})

describe('a sender', () => {
  it('goes on under the old epoch for a moment when somebody comes, not when somebody goes', async () => {
    const room = new TalkingRoom(15, 20)
    room.come()
    room.come()
    await room.run(3000)
    const [ann] = room.live
    const installed = () => ann!.participant.epochs.length
    const before = installed()
    room.come()
    while (installed() === before) await room.run(1)
    const cameAt = room.clock.now()
    await room.run(1000)
    const onJoin = ann!.switches.at(-1)!
    expect(onJoin - cameAt).toBeGreaterThanOrEqual(98)
    expect(ann!.revocations).toEqual([])

    const then = installed()
    room.go(room.live[2]!)
    while (installed() === then) await room.run(1)
    const wentAt = room.clock.now()
    await room.run(1000)
    const onLeave = ann!.switches.at(-1)!
    expect(Math.abs(onLeave - wentAt)).toBeLessThanOrEqual(1)
    expect(ann!.revocations).toHaveLength(1)
  })

  it('ends that moment when a newcomer asks for a group', async () => {
    const room = new TalkingRoom(5, 20)
    room.come()
    room.come()
    await room.run(3000)
    const [ann] = room.live
    const before = ann!.participant.epochs.length
    room.come()
    while (ann!.participant.epochs.length === before) await room.run(1)
    const switched = ann!.switches.length
    ann!.keys.groupAsked()
    expect(ann!.switches).toHaveLength(switched + 1)
    await room.run(1000)
    expect(ann!.switches).toHaveLength(switched + 1)
  })
})

describe('keys of an old epoch', () => {
  it('decrypt what was under way for 10 s, and are gone then', async () => {
    const room = new TalkingRoom(6, 20)
    room.come()
    room.come()
    await room.run(3000)
    const [ann, bob] = room.live
    const old = room.sent.filter(({ from }) => from === bob!.id).at(-1)!
    ann!.participant.member.update()
    await room.run(9000)
    expect(await readable(ann!.keys, [old])).toEqual([old])
    await room.run(2500)
    expect(await readable(ann!.keys, [old])).toEqual([])
    expect(ann!.keys.ownsLeaf(bob!.id, 1)).toBe(true)
  })

  it('and base keys are overwritten once they are taken over', async () => {
    const room = new TalkingRoom(7, 20)
    const given: Uint8Array[] = []
    room.come()
    const { participant, keys } = room.live[0]!
    participant.onEpoch = (epoch) => {
      given.push(epoch.baseKey)
      participant.work.push(keys.install(epoch))
    }
    await room.run(2000)
    participant.member.update()
    await room.run(2000)
    expect(given).toHaveLength(2)
    for (const baseKey of given) expect([...baseKey].every((byte) => byte === 0)).toBe(true)
  })
})

describe('epochs of other groups', () => {
  const epochOf = (epoch: number, fill: number, groupId = 1): EpochKeys => ({
    groupId: Uint8Array.of(groupId),
    epoch,
    suite: 'classical',
    baseKey: new Uint8Array(32).fill(fill),
    epochAuthenticator: new Uint8Array(32),
    verificationCode: '',
    leaf: 0,
    roster: [
      { leaf: 0, participantId: 'ann', fingerprint: 'a', since: { epoch: 0, time: 0 } },
      { leaf: 1, participantId: 'bob', fingerprint: 'b', since: { epoch: 0, time: 0 } },
    ],
    removed: [],
    reason: 'updated',
  })

  /** What bob sends with a base key. */
  async function frame(epoch: number, fill: number): Promise<Sent> {
    const room = new SimulatedRoom(new PlainService(), 'classical', 1)
    const events = { onInstalled: () => {}, onRevoked: () => {}, onSwitch: () => {} }
    const bob = new MediaKeys(room.clock, events, nobleProvider)
    await bob.install({ ...epochOf(epoch, fill), leaf: 1 })
    const { secret } = bob.sendEpoch!
    const sender = await SenderContext.forEpoch(secret, { context: fill, leaf: 1 })
    const metadata = new ObjectMetadata(trackFor('bob')).of(fill, 0, new Uint8Array(0))
    const body = await sender.encrypt(Uint8Array.of(fill), metadata)
    const object = new MoqObject(fill, 0, 0, 0, ObjectStatus.NORMAL, false, body, 0, 0, 0)
    return { from: 'bob', epoch, object }
  }

  const revoked: number[] = []

  function ann(): MediaKeys {
    const { clock } = new SimulatedRoom(new PlainService(), 'classical', 1)
    const events = {
      onInstalled: () => {},
      onRevoked: () => revoked.push(clock.now()),
      onSwitch: () => {},
    }
    return new MediaKeys(clock, events, nobleProvider)
  }

  it('replace all that was', async () => {
    const keys = ann()
    await keys.install(epochOf(4, 1))
    await keys.install(epochOf(0, 2, 9))
    const [old, now] = [await frame(4, 1), await frame(0, 2)]
    expect(await readable(keys, [old, now])).toEqual([now])
  })

  it('of the same group made anew replace what was taken back, and no more', async () => {
    const keys = ann()
    await keys.install(epochOf(4, 11))
    await keys.install(epochOf(5, 12))
    await keys.install(epochOf(6, 13))
    await keys.install(epochOf(5, 14))
    const frames = [await frame(4, 11), await frame(5, 12), await frame(6, 13), await frame(5, 14)]
    expect(await readable(keys, frames)).toEqual([frames[0], frames[3]])
  })

  it('are not sent in from the moment on at which somebody is removed', async () => {
    const keys = ann()
    const bob = { leaf: 1, participantId: 'bob', fingerprint: 'b' }
    await keys.install(epochOf(4, 1))
    const before = revoked.length
    // The epoch of before the removal is still being installed.
    const installing = keys.install(epochOf(5, 2))
    const removal = keys.install({ ...epochOf(6, 3), removed: [bob] })
    expect(revoked).toHaveLength(before + 1)
    expect(keys.sendEpoch).toBeNull()
    keys.groupAsked()
    await installing
    expect(keys.sendEpoch).toBeNull()
    await removal
    expect(keys.sendEpoch?.secret.epoch).toBe(6)
  })

  it('are installed in the order in which they came', async () => {
    const keys = ann()
    await Promise.all([keys.install(epochOf(4, 1)), keys.install(epochOf(5, 2))])
    expect(keys.sendEpoch?.secret.epoch).toBe(4)
    keys.groupAsked()
    expect(keys.sendEpoch?.secret.epoch).toBe(5)
  })
})
