import type { GroupInfo } from 'ts-mls'
import { decodeMlsMessage, encodeMlsMessage, type PublicMessage } from 'ts-mls'
import { decodeRatchetTree, encodeRatchetTree } from 'ts-mls/ratchetTree.js'
import { beforeAll, describe, expect, it } from 'vitest'
import { encodeSubmission } from '../../moq/delivery/index.ts'
import { Sequencer } from './index.ts'
import {
  commit,
  encodeGroupInfo,
  follow,
  found,
  groupInfoOf,
  type Handshake,
  join,
  removal,
  sign,
} from './mls-fixture.ts'

let ann: Handshake
let bob: Handshake
let cyn: Handshake
let next: Handshake
/** The GroupInfo of `next`. */
let info: GroupInfo

/** Ann, Bob and Cyn at epoch 2; what is submitted next decides. */
function submit(participant: string, bytes: Uint8Array): string {
  const sequencer = new Sequencer()
  for (const [id, { submission }] of [
    ['ann', ann],
    ['bob', bob],
    ['cyn', cyn],
  ] as const) {
    expect(sequencer.submit('demo', id, submission, 0)).toMatchObject({ accepted: true })
  }
  const result = sequencer.submit('demo', participant, bytes, 0)
  return result.accepted ? 'accepted' : `${result.reason}: ${result.detail}`
}

function submission(commitBytes: Uint8Array, groupInfo: Uint8Array): Uint8Array {
  return encodeSubmission({ kind: 'commit', commit: commitBytes, groupInfo })
}

/** `next` with another commit or GroupInfo. */
function altered(
  changeCommit: (message: PublicMessage) => PublicMessage,
  groupInfo: GroupInfo = info,
): Uint8Array {
  const message = decodeMlsMessage(next.commit, 0)![0]
  if (message.wireformat !== 'mls_public_message') throw new Error('no public message')
  const publicMessage = changeCommit(message.publicMessage)
  return submission(encodeMlsMessage({ ...message, publicMessage }), encodeGroupInfo(groupInfo))
}

const same = (message: PublicMessage) => message

function flip(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte, i) => (i === bytes.length - 1 ? byte ^ 1 : byte))
}

beforeAll(async () => {
  ann = await found('ann')
  bob = await join('bob', ann.state)
  cyn = await join('cyn', bob.state)
  next = await commit(await follow(bob.state, cyn))
  info = await groupInfoOf(next.state)
})

describe('a member’s commit (RFC 9420 section 12.4.2)', () => {
  it('is accepted when all of it that is public is right', () => {
    expect(submit('bob', next.submission)).toBe('accepted')
    expect(submit('bob', altered(same))).toBe('accepted')
  })

  it('is refused unless its committer signed it', () => {
    const signature = altered((message) => {
      if (message.auth.contentType !== 'commit') throw new Error('no commit')
      const auth = { ...message.auth, signature: flip(message.auth.signature) }
      return { ...message, auth }
    })
    expect(submit('bob', signature)).toMatch(/^bad-signature: the commit/)
    const content = altered((message) => ({
      ...message,
      content: { ...message.content, authenticatedData: Uint8Array.of(1) },
    }))
    expect(submit('bob', content)).toMatch(/^bad-signature: the commit/)
  })

  it('is refused with a GroupInfo of another tree, even if that is signed', async () => {
    const extensions = info.extensions.map((extension) => {
      if (extension.extensionType !== 'ratchet_tree') return extension
      const tree = decodeRatchetTree(extension.extensionData, 0)![0]
      const root = tree.findIndex((node) => node?.nodeType === 'parent')
      const changed = tree.map((node, i) => {
        if (i !== root || node?.nodeType !== 'parent') return node
        return { ...node, parent: { ...node.parent, hpkePublicKey: new Uint8Array(32) } }
      })
      return { ...extension, extensionData: encodeRatchetTree(changed) }
    })
    const other = await sign({ ...info, extensions }, next.state)
    expect(submit('bob', altered(same, other))).toMatch(/^bad-group-info: its ratchet_tree/)
  })

  it('is refused with a GroupInfo of another context or confirmation tag, even if that is signed', async () => {
    const groupContext = { ...info.groupContext, treeHash: flip(info.groupContext.treeHash) }
    const context = await sign({ ...info, groupContext }, next.state)
    expect(submit('bob', altered(same, context))).toMatch(/^bad-group-info: its context/)
    const tag = await sign({ ...info, confirmationTag: new Uint8Array(32) }, next.state)
    expect(submit('bob', altered(same, tag))).toMatch(/^bad-group-info: its confirmation tag/)
  })

  it('is refused with a GroupInfo that another member signed', async () => {
    const other = await sign(info, ann.state)
    expect(submit('bob', altered(same, other))).toMatch(/^bad-signature: the GroupInfo/)
  })

  it('follows removals, blank leaves and unmerged ones through many epochs', async () => {
    const sequencer = new Sequencer({ memberRate: { burst: 100, perSecond: 1 } })
    const put = (id: string, { submission: bytes }: Handshake) =>
      expect(sequencer.submit('demo', id, bytes, 0)).toMatchObject({ accepted: true })
    put('ann', ann)
    let at = ann
    for (const id of ['b', 'c', 'd', 'e', 'f', 'g']) {
      at = await join(id, at.state)
      put(id, at)
    }
    at = await commit(at.state, [removal(1), removal(2), removal(4)])
    put('g', at)
    for (const id of ['h', 'i', 'j', 'k', 'l']) {
      at = await join(id, at.state)
      put(id, at)
    }
    at = await commit(at.state, [removal(0), removal(3)])
    put('l', at)
    at = await join('l', at.state, at.state)
    put('l', at)
    expect(sequencer.dump()[0]?.epoch).toBe(14)
  })
})

describe('a new group', () => {
  it('is refused with a tree, or a leaf, that is not as signed', async () => {
    const first = await groupInfoOf(ann.state)
    const create = (groupInfo: GroupInfo) => {
      const bytes = encodeGroupInfo(groupInfo)
      const wanted = encodeSubmission({ kind: 'create', suite: 'classical', groupInfo: bytes })
      const result = new Sequencer().submit('demo', 'ann', wanted, 0)
      return result.accepted ? 'accepted' : `${result.reason}: ${result.detail}`
    }
    expect(create(first)).toBe('accepted')
    const groupContext = { ...first.groupContext, treeHash: flip(first.groupContext.treeHash) }
    expect(create(await sign({ ...first, groupContext }, ann.state))).toMatch(/tree hash/)
    expect(create({ ...first, signature: flip(first.signature) })).toMatch(/^bad-signature/)
    const other = await groupInfoOf((await found('eve')).state)
    expect(create(other)).toMatch(/^wrong-identity/)
  })
})
