/** A member whose GroupInfo nobody can join from: the service cannot see it, the other members can. */

import { encodeMlsMessage } from 'ts-mls'
import { encodeGroupInfoTBS } from 'ts-mls/groupInfo.js'
import { describe, expect, it } from 'vitest'
import { decodeSubmission, encodeSubmission } from '../../moq/delivery/index.ts'
import { Sequencer } from '../../sfu/delivery/sequencer.ts'
import { decodeGroupInfo } from './messages.ts'
import { type Participant, SimulatedRoom } from './simulated-room.ts'

/** The GroupInfo of each of Mallory's commits has this in the place of external_pub, duly signed. */
class SpoiledRoom extends SimulatedRoom {
  externalPub: Uint8Array | null = null

  override submit(from: Participant, bytes: Uint8Array): void {
    const submission = decodeSubmission(bytes)
    const { externalPub } = this
    if (from.id !== 'mallory' || submission.kind !== 'commit' || externalPub === null) {
      super.submit(from, bytes)
      return
    }
    from.work.push(
      this.spoiled(from, submission.groupInfo, externalPub).then((groupInfo) =>
        super.submit(from, encodeSubmission({ ...submission, groupInfo })),
      ),
    )
  }

  private async spoiled({ member }: Participant, bytes: Uint8Array, externalPub: Uint8Array) {
    const epoch = this.participants[0]!.last.epoch + 1
    const info = decodeGroupInfo({ epoch, logGroup: 0, suite: 'classical', groupInfo: bytes })
    const extensions = info.extensions.map((extension) =>
      extension.extensionType === 'external_pub'
        ? { ...extension, extensionData: externalPub }
        : extension,
    )
    const content = encodeGroupInfoTBS({ ...info, extensions })
    const signature = await member.sign('GroupInfoTBS', content)
    const groupInfo = { ...info, extensions, signature }
    return encodeMlsMessage({ version: 'mls10', wireformat: 'mls_group_info', groupInfo })
  }
}

async function spoiledRoom(externalPub: Uint8Array) {
  const room = new SpoiledRoom(new Sequencer(), 'classical', 1)
  for (const id of ['ann', 'mallory', 'bob', 'cyn']) {
    room.join(id)
    await room.run(1000)
  }
  room.externalPub = externalPub
  const [ann, mallory] = room.participants
  mallory!.member.update()
  await room.run(1000)
  expect(ann!.alarms).toEqual([])
  return { room, ann: ann!, epoch: ann!.last.epoch }
}

describe('a GroupInfo that nobody can join from', () => {
  it.each([
    ['another key', Uint8Array.from({ length: 32 }, (_, i) => i + 1)],
    ['no key at all', Uint8Array.of(1, 2, 3)],
  ])('with %s as external_pub is replaced as soon as a newcomer asks for it', async (_, key) => {
    const { room, ann, epoch } = await spoiledRoom(key)
    const eve = room.join('eve')
    await room.run(600)
    expect(ann.epochs.filter((keys) => keys.epoch > epoch).map(({ reason }) => reason)).toContain(
      'updated',
    )
    expect(ann.alarms.map(({ code }) => code)).toContain('group-info-invalid')
    await room.run(4000)
    expect(eve.state).toBe('member')
    expect(new Set(room.connected().map(({ last }) => last.verificationCode)).size).toBe(1)
  })

  it('lets in at once whoever comes after the first', async () => {
    const { room } = await spoiledRoom(Uint8Array.of(1, 2, 3))
    room.join('eve')
    await room.run(600)
    const fay = room.join('fay')
    await room.run(1000)
    expect(fay.state).toBe('member')
  })
})

describe('a GroupInfo that is as it should be', () => {
  it('costs no commit, however many ask for it', async () => {
    const room = new SimulatedRoom(new Sequencer(), 'classical', 1)
    for (const id of ['ann', 'bob']) {
      room.join(id)
      await room.run(1000)
    }
    const { epoch } = room.participants[0]!.last
    for (let i = 0; i < 5; i++) {
      room.requestSnapshot(room.participants[i % 2]!)
      await room.run(1000)
    }
    expect(room.participants[0]!.last.epoch).toBe(epoch)
    expect(room.participants.flatMap(({ alarms }) => alarms)).toEqual([])
  })
})
