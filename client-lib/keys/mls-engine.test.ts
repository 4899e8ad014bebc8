import fc from 'fast-check'
import {
  type ClientState,
  createCommit,
  joinGroupExternal,
  type MLSMessage,
  type PublicMessage,
  type RatchetTree,
} from 'ts-mls'
import { initializeEpoch } from 'ts-mls/keySchedule.js'
import { encodeMlsMessage } from 'ts-mls/message.js'
import { beforeAll, describe, expect, it } from 'vitest'
import { admitAll } from './authenticate.ts'
import { KeysError } from './errors.ts'
import { createIdentity, credentialOf, type Identity } from './identity.ts'
import { decodeCommit, decodeGroupInfo } from './messages.ts'
import { type Applied, type Attempt, MlsEngine } from './mls-engine.ts'
import { checkCommit, checkTree } from './policy.ts'
import { rosterOf } from './roster.ts'
import { wipe } from './secrets.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const settings = { authenticate: admitAll, maxMembers: 50 }

let engine: MlsEngine
/** Ann (leaf 0) and Bob (leaf 1) at epoch 1. */
let ann: ClientState
let bob: ClientState
let bobsAttempt: Attempt

async function identity(id: string): Promise<Identity> {
  return createIdentity(credentialOf(id), engine.impl, await engine.generateSignatureKeys())
}

function infoOf(groupInfo: Uint8Array, epoch: number) {
  return decodeGroupInfo({ epoch, logGroup: epoch, suite: 'classical', groupInfo })
}

async function join(id: string, from: Attempt): Promise<Attempt> {
  const epoch = Number(from.state.groupContext.epoch)
  return engine.join(await identity(id), infoOf(from.groupInfo, epoch))
}

async function foundPair(): Promise<{ ann: ClientState; bob: Attempt }> {
  const founding = await engine.create(await identity('ann'))
  const bob = await engine.join(await identity('bob'), infoOf(founding.groupInfo, 0))
  return { ann: await applied(founding.state, bob), bob }
}

async function applied(state: ClientState, { commit }: Attempt): Promise<ClientState> {
  const result = await engine.apply(state, decodeCommit(commit))
  if (result.kind !== 'epoch') throw new Error(result.kind)
  return result.state
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work
    return 'none'
  } catch (error) {
    return error instanceof KeysError ? error.code : String(error)
  }
}

/** An external commit as ts-mls makes it, without this library's care. */
async function rawJoin(newcomer: Identity, replaced: string | null): Promise<PublicMessage> {
  const config = {
    ...bob.clientConfig,
    keyPackageEqualityConfig: {
      compareKeyPackages: () => false,
      compareKeyPackageToLeafNode: (_: unknown, leaf: RatchetLeaf) =>
        leaf.credential.credentialType === 'basic' &&
        Buffer.from(leaf.credential.identity).toString() === replaced,
    },
  }
  const { publicMessage } = await joinGroupExternal(
    infoOf(bobsAttempt.groupInfo, 1),
    newcomer.publicPackage,
    newcomer.privatePackage,
    replaced !== null,
    engine.impl,
    undefined,
    config,
  )
  return publicMessage
}
type RatchetLeaf = Extract<RatchetTree[number], { nodeType: 'leaf' }>['leaf']

beforeAll(async () => {
  engine = await MlsEngine.load('classical', settings)
  const pair = await foundPair()
  ann = pair.ann
  bobsAttempt = pair.bob
  bob = pair.bob.state
})

describe('an epoch', () => {
  it('gives every member the same keys, and each epoch others', async () => {
    const cyn = await join('cyn', bobsAttempt)
    const states = [await applied(ann, cyn), await applied(bob, cyn), cyn.state]
    const keys = await Promise.all(states.map((state) => engine.exportKeys(state, 32)))
    expect(new Set(keys.map(({ baseKey }) => hex(baseKey))).size).toBe(1)
    expect(new Set(keys.map(({ verificationCode }) => verificationCode)).size).toBe(1)
    const before = await engine.exportKeys(ann, 32)
    expect(hex(before.baseKey)).not.toBe(hex(keys[0]!.baseKey))
    expect(before.verificationCode).not.toBe(keys[0]!.verificationCode)
  })

  it('leaves the state it came from usable, whichever commit wins', async () => {
    const pair = await foundPair()
    const cyn = await join('cyn', pair.bob)
    const losing = await engine.commit(pair.ann, [1])
    wipe(losing.state, pair.ann)
    const next = await applied(pair.ann, cyn)
    wipe(pair.ann, next)
    const dan = await join('dan', cyn)
    const keys = [await applied(next, dan), await applied(cyn.state, dan), dan.state]
    const exported = await Promise.all(keys.map((state) => engine.exportKeys(state, 32)))
    expect(new Set(exported.map(({ baseKey }) => hex(baseKey))).size).toBe(1)
  })
})

describe('a state that is over', () => {
  const isGone = (secret: Uint8Array) => secret.every((byte) => byte === 0)

  it('is overwritten, but for what the next one goes on with', async () => {
    const { ann, bob } = await foundPair()
    const next = (await engine.commit(ann, [])).state
    const old = { ...ann.privatePath.privateKeys }
    wipe(ann, next)
    expect(Object.values(ann.keySchedule).every(isGone)).toBe(true)
    const kept = new Set(Object.values(next.privatePath.privateKeys))
    for (const key of Object.values(old)) expect(isGone(key)).toBe(!kept.has(key))
    expect(isGone(next.keySchedule.initSecret)).toBe(false)
    // And the next one works.
    const after = await engine.commit(next, [])
    expect(after.state.groupContext.epoch).toBe(3n)
    wipe(bob.state, null)
    expect(Object.values(bob.state.privatePath.privateKeys).every(isGone)).toBe(true)
    await expect(engine.apply(bob.state, decodeCommit(after.commit))).rejects.toThrow()
  })

  it('never held a secret tree, a past epoch or a resumption secret for long', () => {
    expect(ann.secretTree).toEqual([])
    expect(ann.historicalReceiverData.size).toBe(0)
    expect(isGone(ann.keySchedule.resumptionPsk)).toBe(true)
    expect(isGone(ann.keySchedule.senderDataSecret)).toBe(true)
  })
})

describe('a member left alone', () => {
  /** The base key that the removed Bob can compute when no path secret was encrypted to anyone. */
  async function bobsGuess(after: ClientState): Promise<string> {
    const { kdf } = engine.impl
    const zeros = new Uint8Array(kdf.size)
    const { initSecret } = bob.keySchedule
    const epoch = await initializeEpoch(initSecret, zeros, after.groupContext, zeros, kdf)
    const { baseKey } = await engine.exportKeys({ ...after, keySchedule: epoch.keySchedule }, 32)
    return hex(baseKey)
  }

  it('has keys that the removed member cannot derive', async () => {
    const { state } = await engine.commit(ann, [1])
    expect(rosterOf(state.ratchetTree).map(({ participantId }) => participantId)).toEqual(['ann'])
    expect(hex((await engine.exportKeys(state, 32)).baseKey)).not.toBe(await bobsGuess(state))
  })

  it('would not have them from ts-mls alone, which is why there is a pre-shared key', async () => {
    const { newState } = await createCommit(
      { state: ann, cipherSuite: engine.impl },
      {
        wireAsPublicMessage: true,
        extraProposals: [{ proposalType: 'remove', remove: { removed: 1 } }],
      },
    )
    expect(hex((await engine.exportKeys(newState, 32)).baseKey)).toBe(await bobsGuess(newState))
  })

  it('tells the removed one, whose state cannot follow', async () => {
    const { commit } = await engine.commit(ann, [1])
    const result: Applied = await engine.apply(bob, decodeCommit(commit))
    expect(result).toMatchObject({ kind: 'removed', commit: { committer: 'ann', removed: [1] } })
  })
})

describe('a commit is refused', () => {
  it('when an external one removes another participant', async () => {
    const message = await rawJoin(await identity('eve'), 'ann')
    expect(await codeOf(engine.apply(bob, message))).toBe('identity-refused')
  })

  it('when it adds a second leaf of a participant', async () => {
    const message = await rawJoin(await identity('ann'), null)
    expect(await codeOf(engine.apply(bob, message))).toBe('identity-refused')
  })

  it('when a newcomer uses the signature key of a member', async () => {
    const signKey = bob.signaturePrivateKey
    const node = bob.ratchetTree[2]
    if (node?.nodeType !== 'leaf') throw new Error('no leaf')
    const keys = { signKey, publicKey: node.leaf.signaturePublicKey }
    const message = await rawJoin(
      await createIdentity(credentialOf('eve'), engine.impl, keys),
      null,
    )
    expect(await codeOf(engine.apply(ann, message))).toBe('identity-refused')
  })

  it('when the key is not one that the participant was admitted with', async () => {
    const wary = await MlsEngine.load('classical', {
      ...settings,
      authenticate: ({ participantId }) => (participantId === 'eve' ? 'is a ghost' : null),
    })
    const message = decodeCommit((await join('eve', bobsAttempt)).commit)
    expect(await codeOf(wary.apply(ann, message))).toBe('identity-refused')
  })

  it('when it adds by proposal, or removes a leaf that is blank', async () => {
    const { publicPackage } = await identity('eve')
    const { commit } = await createCommit(
      { state: ann, cipherSuite: engine.impl },
      {
        wireAsPublicMessage: true,
        extraProposals: [{ proposalType: 'add', add: { keyPackage: publicPackage } }],
      },
    )
    expect(await codeOf(engine.apply(bob, publicOf(commit)))).toBe('commit-invalid')
    const removing = publicOf(decodedOf(await engine.commit(ann, [1])))
    if (removing.content.contentType !== 'commit') throw new Error('no commit')
    const [proposal] = removing.content.commit.proposals
    if (proposal?.proposalOrRefType !== 'proposal') throw new Error('no proposal')
    if (proposal.proposal.proposalType !== 'remove') throw new Error('no removal')
    proposal.proposal.remove.removed = 4_000_000_000
    expect(await codeOf(engine.apply(bob, removing))).toBe('commit-invalid')
  })

  it('when it uses an encryption key of the tree again', async () => {
    const message = decodeCommit((await join('cyn', bobsAttempt)).commit)
    const node = ann.ratchetTree[0]
    const { content } = message
    if (content.contentType !== 'commit' || node?.nodeType !== 'leaf') throw new Error('no commit')
    content.commit.path!.leafNode.hpkePublicKey = node.leaf.hpkePublicKey
    expect(() => checkCommit(message, ann.groupContext, ann.ratchetTree, 50)).toThrow(/used before/)
  })

  it('when the group is full', async () => {
    const small = await MlsEngine.load('classical', { ...settings, maxMembers: 2 })
    const message = decodeCommit((await join('cyn', bobsAttempt)).commit)
    expect(await codeOf(small.apply(ann, message))).toBe('too-many-members')
  })

  it('when any of its bytes was changed', async () => {
    const cyn = await join('cyn', bobsAttempt)
    const edit = fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 }))
    await fc.assert(
      fc.asyncProperty(edit, async ([at, change]) => {
        const bytes = cyn.commit.slice()
        bytes[at % bytes.length]! ^= change
        const code = await codeOf((async () => engine.apply(ann, decodeCommit(bytes)))())
        expect(['commit-invalid', 'identity-refused']).toContain(code)
      }),
      { numRuns: 150 },
    )
    await applied(ann, cyn)
  })
})

describe('a GroupInfo is refused', () => {
  it('when any of its bytes was changed', async () => {
    const newcomer = await identity('cyn')
    const edit = fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 }))
    await fc.assert(
      fc.asyncProperty(edit, async ([at, change]) => {
        const bytes = bobsAttempt.groupInfo.slice()
        bytes[at % bytes.length]! ^= change
        const code = await codeOf((async () => engine.join(newcomer, infoOf(bytes, 1)))())
        expect(['group-info-invalid', 'identity-refused', 'suite-mismatch']).toContain(code)
      }),
      { numRuns: 100 },
    )
  })

  it('when its tree has unmerged leaves, over which ts-mls could loop', () => {
    const tree = ann.ratchetTree.map((node) =>
      node?.nodeType === 'parent'
        ? { ...node, parent: { ...node.parent, unmergedLeaves: [4_000_000_000] } }
        : node,
    )
    expect(() => checkTree(tree, 50)).toThrow(/unmerged leaves/)
    expect(() => checkTree(ann.ratchetTree, 50)).not.toThrow()
  })

  it('when its tree is too large or names a participant twice', () => {
    const { ratchetTree } = ann
    expect(() => checkTree(new Array(300).fill(undefined), 50)).toThrow(/300 nodes/)
    expect(() => checkTree([...ratchetTree, undefined, ratchetTree[0]], 50)).toThrow(/two leaves/)
  })
})

function publicOf(message: MLSMessage): PublicMessage {
  if (message.wireformat !== 'mls_public_message') throw new Error(message.wireformat)
  // Through bytes, so that a test that changes it changes a copy.
  return decodeCommit(encodeMlsMessage(message))
}

function decodedOf({ commit }: Attempt): MLSMessage {
  const publicMessage = decodeCommit(commit)
  return { version: 'mls10', wireformat: 'mls_public_message', publicMessage }
}
