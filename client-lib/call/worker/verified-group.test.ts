/** Members over a real relay, with a real delivery service; only what the log shows is tampered with. */

import { sha256 } from '@noble/hashes/sha2.js'
import { describe, expect, it } from 'vitest'
import {
  decodeLogEntry,
  encodeLogEntry,
  encodeSubmission,
  LOG_TRACK,
  REPORT_LABEL,
  reportContent,
} from '../../../moq/delivery/index.ts'
import {
  parseParticipantNamespace,
  participantNamespace,
  roomNamespace,
} from '../../../moq/media/index.ts'
import type { Session } from '../../../moq/session/index.ts'
import { RequestCode } from '../../../moq/wire/codes.ts'
import { sameBytes, textOf } from '../../../moq/wire/names.ts'
import type { MoqObject } from '../../../moq/wire/object.ts'
import { DeliveryEndpoint } from '../../../sfu/delivery/endpoint.ts'
import { Sequencer } from '../../../sfu/delivery/index.ts'
import { RelayWorld } from '../../../sfu/relay/test-world.ts'
import type { EpochKeys, KeysError } from '../../keys/index.ts'
import { groupNotices, type VerificationEvent } from '../../verification/index.ts'
import { VerifiedGroup } from './verified-group.ts'

const ROOM = 'demo'
const START = Date.UTC(2030, 0, 1)
const STEP_MS = 100

class Room {
  readonly world = new RelayWorld()
  sequencer = new Sequencer()
  readonly members: Member[] = []
  service = this.serve()

  serve(): DeliveryEndpoint {
    return new DeliveryEndpoint({
      transport: this.world.connect(true),
      clock: this.world.clock,
      wallClock: () => this.now(),
      sequencer: this.sequencer,
    })
  }

  /** As a participant does on its `mls` track. */
  submit(id: string, submission: Uint8Array): void {
    const result = this.sequencer.submit(ROOM, id, submission, this.now())
    if (!result.accepted) throw new Error(result.reason)
    for (const { bytes } of result.records) for (const member of this.members) member.forge(bytes)
  }

  now(): number {
    return START + this.world.clock.now()
  }

  async enter(...ids: string[]): Promise<void> {
    for (const id of ids) {
      this.members.push(new Member(id, this))
      await this.run(1000)
    }
  }

  async run(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += STEP_MS) {
      this.world.clock.advance(STEP_MS)
      for (let round = 0; round < 3; round++) {
        await this.world.settle()
        await Promise.all(this.members.map(({ group }) => group.idle()))
      }
    }
  }
}

class Member {
  readonly id: string
  readonly session: Session
  readonly group: VerifiedGroup
  readonly epochs: EpochKeys[] = []
  readonly errors: unknown[] = []
  /** Whether an object of the log reaches this member. */
  passes: (payload: Uint8Array) => boolean = () => true
  private lastOfLog: MoqObject | null = null
  private onLogObject: ((object: MoqObject) => void) | undefined

  constructor(id: string, room: Room) {
    const { clock } = room.world
    this.id = id
    this.session = room.world.client({
      onSubscribe: (request) => {
        if (this.group.accept(textOf(request.track.name), request)) return
        request.reject(RequestCode.DOES_NOT_EXIST, 'no such track')
      },
    })
    this.tapLog()
    this.session.publishNamespace(participantNamespace(ROOM, id), {})
    this.group = new VerifiedGroup({
      session: this.session,
      room: ROOM,
      participantId: id,
      suite: 'classical',
      // Nobody compares emoji here: PBKDF2 would be most of what a test takes.
      stretch: async (_secret, _salt, _iterations, bytes) => new Uint8Array(bytes),
      clock,
      wallClock: () => room.now(),
      random: () => 0.5,
      onEpoch: (keys) => this.epochs.push(keys),
      onFailed: (error: KeysError) => this.errors.push(error),
      onChange: () => {},
      onBug: (error) => this.errors.push(error),
    })
    const tell =
      (present: boolean) => (namespace: Parameters<typeof parseParticipantNamespace>[0]) => {
        const place = parseParticipantNamespace(namespace)
        if (place) this.group.setPresent(place.participant, present)
      }
    this.session.subscribeNamespace(roomNamespace(ROOM), {
      onNamespace: tell(true),
      onNamespaceDone: tell(false),
    })
  }

  get epoch(): EpochKeys {
    return this.epochs.at(-1)!
  }

  get history(): readonly VerificationEvent[] {
    return this.group.history
  }

  alarmsOf(other: Member): readonly string[] {
    return this.group.securityOf(other.id).alarmNames
  }

  /** As if the relay had sent this member, and nobody else, one more object of the log. */
  forge(payload: Uint8Array): void {
    this.onLogObject!(Object.create(this.lastOfLog, { payload: { value: payload } }))
  }

  private tapLog(): void {
    const subscribe = this.session.subscribe.bind(this.session)
    this.session.subscribe = (track, parameters, events) => {
      if (textOf(track.name) !== LOG_TRACK) return subscribe(track, parameters, events)
      this.onLogObject = (object) => events.onObject?.(object, null)
      return subscribe(track, parameters, {
        ...events,
        onObject: (object, subgroup) => {
          this.lastOfLog = object
          if (this.passes(object.payload)) events.onObject?.(object, subgroup)
        },
      })
    }
  }
}

const noticeFor = ({ epoch }: Member) =>
  encodeLogEntry({ kind: 'left', participant: 'nobody', epoch: epoch.epoch })

describe('a member whose log has an entry that the others never get', () => {
  it('and the others raise `log-differs` about each other within 5 s', async () => {
    const room = new Room()
    await room.enter('ann', 'bob', 'cyn')
    const [ann, bob, cyn] = room.members
    ann!.group.member.update()
    await room.run(2000)
    expect(ann!.alarmsOf(bob!)).toEqual([])
    ann!.forge(noticeFor(ann!))
    await room.run(5000)
    expect(ann!.alarmsOf(bob!)).toEqual(['log-differs'])
    expect(bob!.alarmsOf(ann!)).toEqual(['log-differs'])
    expect(cyn!.alarmsOf(ann!)).toEqual(['log-differs'])
    expect(cyn!.alarmsOf(bob!)).toEqual([])
    expect(room.members.flatMap(({ errors }) => errors)).toEqual([])
  })

  it('raises none when its log had broken off: others may have seen what it missed', async () => {
    const room = new Room()
    await room.enter('ann', 'bob', 'cyn')
    const [ann, bob] = room.members
    ann!.group.member.update()
    await room.run(2000)
    room.service.close()
    await room.run(100)
    room.service = room.serve()
    await room.run(2000)
    ann!.forge(noticeFor(ann!))
    await room.run(5000)
    for (const one of [ann!, bob!])
      for (const other of [ann!, bob!]) expect(one.alarmsOf(other)).toEqual([])
  })
})

describe('a member that had applied a commit which the group takes back', () => {
  it('is told to compare the code, and no alarm is raised about it or by it', async () => {
    const room = new Room()
    await room.enter('ann', 'bob', 'cyn', 'dan')
    const [ann, bob, cyn, dan] = room.members
    const { epoch: before, groupId } = ann!.epoch
    const epoch = before + 1
    // Bob and Dan cannot apply it: they do not even get it.
    let commitHash: Uint8Array | null = null
    for (const member of room.members) {
      member.passes = (payload) => {
        const entry = decodeLogEntry(payload)
        if (entry.kind !== 'commit' || entry.epoch !== epoch) return true
        commitHash ??= sha256(entry.commit)
        return member === ann || member === cyn || !sameBytes(commitHash, sha256(entry.commit))
      }
    }
    ann!.group.member.update()
    await room.run(STEP_MS)
    expect(room.members.map((member) => member.epoch.epoch - before)).toEqual([1, 0, 1, 0])
    const content = reportContent(groupId, epoch, commitHash!)
    for (const { id, group } of [bob!, dan!]) {
      const signature = await group.member.sign(REPORT_LABEL, content)
      const report = { kind: 'report', epoch, commitHash: commitHash!, signature } as const
      room.submit(id, encodeSubmission(report))
    }
    await room.run(8000)
    const notices = ann!.history.filter(({ kind }) => kind === 'notice')
    expect(notices).toMatchObject([
      { code: 'commit-skipped', level: 'check', detail: 'a commit of ann was taken back' },
    ])
    expect(ann!.group.alarms).toEqual([])
    const codes = room.members.map((member) => member.epoch.verificationCode)
    expect(new Set(codes).size).toBe(1)
    for (const one of room.members) {
      for (const other of room.members) expect(one.alarmsOf(other)).toEqual([])
    }
  })
})

describe('a service that has lost the group, as a relay does that is restarted without its state', () => {
  it('has a new one made: all are told to compare the code, and that the others have the same keys', async () => {
    const room = new Room()
    await room.enter('ann', 'bob')
    const [ann, bob] = room.members
    const { groupId } = ann!.epoch
    room.service.close()
    room.sequencer = new Sequencer()
    await room.run(100)
    room.service = room.serve()
    for (const { group } of room.members) {
      group.setOnline(false)
      group.setOnline(true)
    }
    await room.run(8000)
    expect(sameBytes(ann!.epoch.groupId, groupId)).toBe(false)
    expect(ann!.epoch.verificationCode).toBe(bob!.epoch.verificationCode)
    for (const [one, other] of [[ann!, bob!] as const, [bob!, ann!] as const]) {
      const last = one.history.filter(({ kind }) => kind !== 'renewed').slice(0, 3)
      expect(last.map(({ kind, participant }) => `${participant} ${kind}`).reverse()).toEqual([
        `${one.id} notice`,
        `${one.id} reentered`,
        `${other.id} returned`,
      ])
      expect(last[2]).toMatchObject({ code: 'group-replaced', level: 'check' })
      expect(one.group.alarms).toEqual([])
      expect(one.alarmsOf(other)).toEqual([])
    }
  })
})

describe('a service that shows one member what cannot be read', () => {
  it('is an alarm that stays, in words, once', async () => {
    const room = new Room()
    await room.enter('ann', 'bob', 'cyn')
    const [ann] = room.members
    for (let i = 0; i < 3; i++) ann!.forge(Uint8Array.of(0xff, 0xff))
    await room.run(1000)
    expect(ann!.group.alarms).toEqual([groupNotices.malformed.text])
    expect(ann!.history[0]).toMatchObject({ code: 'malformed', level: 'alarm', count: 3 })
  })
})
