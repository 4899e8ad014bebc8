/** Members of a group, made with ts-mls for tests; the service itself uses none of this. */

import {
  type CiphersuiteImpl,
  type ClientState,
  createCommit,
  createGroup,
  createGroupInfoWithExternalPubAndRatchetTree,
  decodeMlsMessage,
  defaultCapabilities,
  defaultLifetime,
  emptyPskIndex,
  encodeMlsMessage,
  type GroupInfo,
  generateKeyPackage,
  getCiphersuiteFromName,
  getCiphersuiteImpl,
  joinGroupExternal,
  type MLSMessage,
  type Proposal,
  processPublicMessage,
} from 'ts-mls'
import { signWithLabel } from 'ts-mls/crypto/signature.js'
import { signGroupInfo } from 'ts-mls/groupInfo.js'
import {
  encodeSubmission,
  mlsSuites,
  REPORT_LABEL,
  reportContent,
} from '../../moq/delivery/index.ts'
import { sha256 } from './public-crypto.ts'

export interface Handshake {
  readonly state: ClientState
  readonly commit: Uint8Array
  readonly groupInfo: Uint8Array
  readonly submission: Uint8Array
}

const version = 'mls10'
const suite: CiphersuiteImpl = await getCiphersuiteImpl(getCiphersuiteFromName(mlsSuites.classical))

function keyPackage(identity: string) {
  const credential = {
    credentialType: 'basic' as const,
    identity: new TextEncoder().encode(identity),
  }
  return generateKeyPackage(credential, defaultCapabilities(), defaultLifetime, [], suite)
}

export async function groupInfoOf(state: ClientState): Promise<GroupInfo> {
  return createGroupInfoWithExternalPubAndRatchetTree(state, [], suite)
}

export function encodeGroupInfo(groupInfo: GroupInfo): Uint8Array {
  return encodeMlsMessage({ version, wireformat: 'mls_group_info', groupInfo })
}

export async function found(identity: string, id = 'group'): Promise<Handshake> {
  const { publicPackage, privatePackage } = await keyPackage(identity)
  const groupId = new TextEncoder().encode(id)
  const state = await createGroup(groupId, publicPackage, privatePackage, [], suite)
  const groupInfo = encodeGroupInfo(await groupInfoOf(state))
  const submission = encodeSubmission({ kind: 'create', suite: 'classical', groupInfo })
  return { state, commit: new Uint8Array(0), groupInfo, submission }
}

/** @param resync replaces the leaf whose signature key `from` has; else a new leaf is taken */
export async function join(
  identity: string,
  from: ClientState,
  resync?: ClientState,
): Promise<Handshake> {
  const { publicPackage, privatePackage } = await keyPackage(identity)
  const config = resync && {
    ...resync.clientConfig,
    keyPackageEqualityConfig: {
      ...resync.clientConfig.keyPackageEqualityConfig,
      compareKeyPackageToLeafNode: (_: unknown, leaf: { signaturePublicKey: Uint8Array }) =>
        isOwnLeaf(resync, leaf.signaturePublicKey),
    },
  }
  const { publicMessage, newState } = await joinGroupExternal(
    await groupInfoOf(from),
    publicPackage,
    privatePackage,
    resync !== undefined,
    suite,
    undefined,
    config,
  )
  return handshake(newState, { version, wireformat: 'mls_public_message', publicMessage })
}

export async function commit(state: ClientState, proposals: Proposal[] = []): Promise<Handshake> {
  const result = await createCommit(
    { state, cipherSuite: suite },
    { wireAsPublicMessage: true, extraProposals: proposals },
  )
  return handshake(result.newState, result.commit)
}

/** The state of another member once it applied a commit. */
export async function follow(state: ClientState, { commit }: Handshake): Promise<ClientState> {
  const message = decodeMlsMessage(commit, 0)?.[0]
  if (message?.wireformat !== 'mls_public_message') throw new Error('no public message')
  const { publicMessage } = message
  const { newState } = await processPublicMessage(state, publicMessage, emptyPskIndex, suite)
  return newState
}

/** @param state of the epoch before the commit */
export async function report(
  state: ClientState,
  { commit }: Handshake,
  label = REPORT_LABEL,
): Promise<Uint8Array> {
  const epoch = Number(state.groupContext.epoch) + 1
  const commitHash = sha256(commit)
  const content = reportContent(state.groupContext.groupId, epoch, commitHash)
  const { signature } = suite
  return encodeSubmission({
    kind: 'report',
    epoch,
    commitHash,
    signature: await signWithLabel(state.signaturePrivateKey, label, content, signature),
  })
}

/** Signs a GroupInfo anew, as one of a member's that lies in it. */
export async function sign(groupInfo: GroupInfo, state: ClientState): Promise<GroupInfo> {
  return signGroupInfo(groupInfo, state.signaturePrivateKey, suite.signature)
}

export function removal(leaf: number): Proposal {
  return { proposalType: 'remove', remove: { removed: leaf } }
}

export async function addition(identity: string): Promise<Proposal> {
  const { publicPackage } = await keyPackage(identity)
  return { proposalType: 'add', add: { keyPackage: publicPackage } }
}

/** A commit that was not sent as a public message. */
export async function privateCommit(state: ClientState): Promise<Handshake> {
  const result = await createCommit({ state, cipherSuite: suite })
  return handshake(result.newState, result.commit)
}

async function handshake(state: ClientState, message: MLSMessage): Promise<Handshake> {
  const encoded = encodeMlsMessage(message)
  const groupInfo = encodeGroupInfo(await groupInfoOf(state))
  const submission = encodeSubmission({ kind: 'commit', commit: encoded, groupInfo })
  return { state, commit: encoded, groupInfo, submission }
}

function isOwnLeaf(state: ClientState, key: Uint8Array): boolean {
  const node = state.ratchetTree[state.privatePath.leafIndex * 2]
  if (node?.nodeType !== 'leaf') return false
  return Buffer.compare(node.leaf.signaturePublicKey, key) === 0
}
