/** Members over a real relay with a real delivery service; only deliveries of the log are lost. */

import { describe, expect, it } from 'vitest'
import { LOG_TRACK, submissionTrack } from '../../../moq/delivery/index.ts'
import {
  parseParticipantNamespace,
  participantNamespace,
  roomNamespace,
  TrackName,
} from '../../../moq/media/index.ts'
import type { Session } from '../../../moq/session/index.ts'
import { RequestCode } from '../../../moq/wire/codes.ts'
import { type Namespace, textOf } from '../../../moq/wire/names.ts'
import { MembersWorld } from '../../../sfu/delivery/test-members.ts'
import type { EpochKeys, KeysAlarm, StateSlot } from '../../keys/index.ts'
import { MemoryStateStore } from '../../keys/index.ts'
import { firstGroupAt } from '../../media/first-group.ts'
import { GroupLink } from './group-link.ts'

const ROOM = 'demo'

class Room extends MembersWorld<Member> {
  enter(id: string, slot: StateSlot | null = null): Promise<Member> {
    return this.add(new Member(id, this, slot))
  }
}

class Member {
  readonly session: Session
  readonly group: GroupLink
  readonly epochs: EpochKeys[] = []
  readonly alarms: KeysAlarm[] = []
  /** Ranges of the log that were fetched: how many objects each brought. */
  readonly fetched: number[] = []
  /** Nothing of the log's subscription comes. */
  deaf = false

  constructor(id: string, room: Room, slot: StateSlot | null) {
    this.session = room.world.client({
      onSubscribe: (request) => {
        if (textOf(request.track.name) === TrackName.MLS) this.group.accept(request)
        else request.reject(RequestCode.DOES_NOT_EXIST, 'no such track')
      },
    })
    this.tap()
    this.session.publishNamespace(participantNamespace(ROOM, id), {})
    this.group = new GroupLink({
      session: this.session,
      room: ROOM,
      participantId: id,
      suite: 'classical',
      clock: room.world.clock,
      wallClock: () => room.now(),
      random: () => 0.5,
      trackAlias: 0,
      slot,
      settings: { updateMs: 0 },
      onEpoch: (keys) => this.epochs.push(keys),
      onAlarm: (alarm) => this.alarms.push(alarm),
      onFailed: (error) => {
        throw error
      },
    })
    const tell = (present: boolean) => (namespace: Namespace) => {
      const place = parseParticipantNamespace(namespace)
      if (place) this.group.setPresent(place.participant, present)
    }
    this.session.subscribeNamespace(roomNamespace(ROOM), {
      onNamespace: tell(true),
      onNamespaceDone: tell(false),
    })
  }

  idle(): Promise<void> {
    return this.group.member.idle()
  }

  get epoch(): EpochKeys {
    return this.epochs.at(-1)!
  }

  private tap(): void {
    const { session } = this
    const subscribe = session.subscribe.bind(session)
    session.subscribe = (track, parameters, events) => {
      if (textOf(track.name) !== LOG_TRACK) return subscribe(track, parameters, events)
      const onObject: typeof events.onObject = (object, subgroup) => {
        if (!this.deaf) events.onObject?.(object, subgroup)
      }
      return subscribe(track, parameters, { ...events, onObject })
    }
    const fetch = session.fetch.bind(session)
    session.fetch = (range, events) => {
      const at = this.fetched.push(0) - 1
      const onObject: typeof events.onObject = (...object) => {
        this.fetched[at]!++
        events.onObject?.(...object)
      }
      return fetch(range, { ...events, onObject })
    }
  }
}

describe('a member that missed entries of the log', () => {
  it('fetches them from the delivery service, and stays the member that it was', async () => {
    const room = new Room()
    const ann = await room.enter('ann')
    const bob = await room.enter('bob')
    bob.deaf = true
    for (let i = 0; i < 3; i++) {
      ann.group.member.update()
      await room.run(200)
    }
    expect(ann.epoch.epoch - bob.epoch.epoch).toBe(3)
    const { leaf } = bob.epoch
    const joined = bob.epochs.length
    bob.deaf = false
    // The next one cannot be applied without those before.
    ann.group.member.update()
    await room.run(3000)
    expect(bob.epoch.epoch).toBe(ann.epoch.epoch)
    expect(bob.epoch.verificationCode).toBe(ann.epoch.verificationCode)
    expect(bob.epoch.leaf).toBe(leaf)
    expect(bob.epochs.slice(joined).map(({ reason }) => reason)).not.toContain('joined')
    expect(bob.group.member.dump()).toMatchObject({ state: 'member', rejoins: 0 })
    expect(bob.fetched.some((objects) => objects >= 3)).toBe(true)
    expect(bob.alarms).toEqual([])
  })

  it('looks for them by itself when nothing comes at all', async () => {
    const room = new Room()
    const ann = await room.enter('ann')
    const bob = await room.enter('bob')
    bob.deaf = true
    ann.group.member.update()
    await room.run(30_000)
    expect(bob.epoch.epoch).toBe(ann.epoch.epoch)
    expect(bob.group.member.dump().rejoins).toBe(0)
  })
})

describe('a member over a reload', () => {
  it('comes back as the same leaf with new keys, and the others remove nobody', async () => {
    const room = new Room()
    const store = new MemoryStateStore()
    const ann = await room.enter('ann')
    const bob = await room.enter('bob', await store.open('bob'))
    const { leaf, roster } = bob.epoch
    bob.group.suspend()
    bob.session.close(0, 'reload')
    await room.run(1000)
    const again = await room.enter('bob', await store.open('bob'))
    expect(again.epoch).toMatchObject({ leaf, epoch: bob.epoch.epoch + 1 })
    expect(again.epoch.verificationCode).toBe(ann.epoch.verificationCode)
    expect(again.epoch.roster.map((member) => member.fingerprint)).toEqual(
      roster.map((member) => member.fingerprint),
    )
    await room.run(15_000)
    expect(ann.epoch.removed).toEqual([])
    expect(ann.epoch.roster).toHaveLength(2)
  })

  it('begins its `mls` track above the groups from before (section 2.3.1)', async () => {
    const room = new Room()
    const ann = await room.enter('ann')
    const bob = await room.enter('bob')
    const groups: number[] = []
    room.world
      .client({})
      .subscribe(submissionTrack(ROOM, 'bob'), {}, { onObject: ({ group }) => groups.push(group) })
    await room.run(100)
    bob.group.member.update()
    await room.run(500)
    bob.session.close(0, 'reload')
    await room.run(100)
    const reload = firstGroupAt(room.now())
    expect(groups.length).toBeGreaterThan(0)
    expect(Math.max(...groups)).toBeLessThan(reload)
    await room.enter('bob')
    const later: number[] = []
    room.world
      .client({})
      .subscribe(submissionTrack(ROOM, 'bob'), {}, { onObject: ({ group }) => later.push(group) })
    await room.run(100)
    room.members.at(-1)!.group.member.update()
    await room.run(500)
    expect(Math.min(...later)).toBeGreaterThanOrEqual(reload)
    expect(ann.epoch.roster).toHaveLength(2)
  })
})
