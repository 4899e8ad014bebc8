/**
 * The operations of one MLS group that a room needs, over ts-mls: create, join by external commit,
 * remove members, renew keys, apply a commit, export an epoch's keys. Stateless but for the suite: a group's state
 * goes in and the next one comes out, and the old one stays whole until `wipe` is called, because a
 * commit that loses its race is rebased from it.
 */

import {
  type CiphersuiteImpl,
  type ClientState,
  type CryptoProvider,
  createCommit,
  createGroup,
  createGroupInfoWithExternalPubAndRatchetTree,
  emptyPskIndex,
  encodeMlsMessage,
  type GroupInfo,
  getCiphersuiteFromName,
  joinGroupExternal,
  mlsExporter,
  type Proposal,
  type PskIndex,
  type PublicMessage,
  processPublicMessage,
} from 'ts-mls'
import { ratchetTreeFromExtension } from 'ts-mls/groupInfo.js'
import { unprotectPublicMessage } from 'ts-mls/messageProtectionPublic.js'
import { mlsSuites, type SuiteName } from '../../moq/delivery/index.ts'
import { sameBytes } from '../../moq/wire/names.ts'
import { type Authenticate, authenticateLeaf } from './authenticate.ts'
import { mixedCryptoProvider } from './crypto-provider.ts'
import { engineConfig } from './engine-config.ts'
import { asKeysError, KeysError, UnsupportedSuiteError } from './errors.ts'
import { EpochExporter } from './exporter.ts'
import { type Identity, participantOf, type SignatureKeys } from './identity.ts'
import { signAsLeaf, verifyAsLeaf } from './leaf-signature.ts'
import { replaceOnlyLeaf } from './only-leaf.ts'
import { ownPreSharedKey } from './own-psk.ts'
import { type CheckedCommit, checkCommit, checkTree } from './policy.ts'
import { leafOf, leaves } from './roster.ts'
import { trim } from './secrets.ts'
import { verificationCode } from './verification-code.ts'

export interface EngineSettings {
  readonly authenticate: Authenticate
  readonly maxMembers: number
  /** Default: `mixedCryptoProvider`. */
  readonly crypto?: CryptoProvider
}

/** An epoch that is ours only once the delivery service takes the commit. All MLSMessage bytes. */
export interface Attempt {
  readonly state: ClientState
  readonly commit: Uint8Array
  readonly groupInfo: Uint8Array
}

export type Applied =
  | { readonly kind: 'epoch'; readonly state: ClientState; readonly commit: CheckedCommit }
  /** The commit removed this member. */
  | { readonly kind: 'removed'; readonly commit: CheckedCommit }

const EXPORTER_LABEL = 'SFrame 1.0 Base Key'
const GROUP_ID_BYTES = 16

export class MlsEngine {
  readonly suite: SuiteName
  private readonly crypto: CiphersuiteImpl
  private readonly authenticate: Authenticate
  private readonly maxMembers: number

  private constructor(suite: SuiteName, crypto: CiphersuiteImpl, settings: EngineSettings) {
    this.suite = suite
    this.crypto = crypto
    this.authenticate = settings.authenticate
    this.maxMembers = settings.maxMembers
  }

  /** @throws UnsupportedSuiteError where the suite's key exchange, or all of it, is missing */
  static async load(suite: SuiteName, settings: EngineSettings): Promise<MlsEngine> {
    try {
      const provider = settings.crypto ?? mixedCryptoProvider
      const crypto = await provider.getCiphersuiteImpl(getCiphersuiteFromName(mlsSuites[suite]))
      // A provider may find out only when it is used.
      await crypto.hpke.generateKeyPair()
      return new MlsEngine(suite, crypto, settings)
    } catch (error) {
      throw new UnsupportedSuiteError(suite, error)
    }
  }

  get impl(): CiphersuiteImpl {
    return this.crypto
  }

  /** @throws UnsupportedSuiteError where the browser lacks the suite's signatures */
  async generateSignatureKeys(): Promise<SignatureKeys> {
    try {
      return await this.crypto.signature.keygen()
    } catch (error) {
      throw new UnsupportedSuiteError(this.suite, error)
    }
  }

  /** Epoch 0 of a new group with this member alone. The identity's keys become the group's. */
  async create(identity: Identity): Promise<Omit<Attempt, 'commit'>> {
    const groupId = this.crypto.rng.randomBytes(GROUP_ID_BYTES)
    const { publicPackage, privatePackage } = identity
    const state = trim(
      await createGroup(groupId, publicPackage, privatePackage, [], this.crypto, engineConfig),
    )
    return { state, groupInfo: await this.groupInfoOf(state) }
  }

  /**
   * An external commit (RFC 9420 section 12.4.3.2) that adds this member, in the place of its own
   * former leaf if there is one.
   * @throws KeysError `group-info-invalid`, `identity-refused` or `too-many-members`
   */
  async join(identity: Identity, info: GroupInfo): Promise<Attempt> {
    return asKeysError('group-info-invalid', 'cannot join', async () => {
      const tree = ratchetTreeFromExtension(info)
      if (tree === undefined) throw new KeysError('group-info-invalid', 'no ratchet tree')
      checkTree(tree, this.maxMembers)
      const { publicPackage, privatePackage } = identity
      // ts-mls hangs when told to replace a former leaf that is not there.
      const former = leafOf(tree, participantOf(publicPackage.leafNode.credential))
      const others = [...leaves(tree)].filter(([index]) => index !== former)
      for (const [, leaf] of others) await authenticateLeaf(this.authenticate, leaf, false)
      const isAlone = former !== undefined && others.length === 0
      const { publicMessage, newState } = isAlone
        ? await replaceOnlyLeaf(identity, info, tree, former, this.crypto)
        : await joinGroupExternal(
            info,
            publicPackage,
            privatePackage,
            former !== undefined,
            this.crypto,
            undefined,
            engineConfig,
          )
      return this.attempt(newState, publicMessage)
    })
  }

  /**
   * A commit that removes these leaves, maybe none, and renews this member's own keys: whoever had its
   * old state cannot follow (RFC 9420 section 16.6).
   */
  async commit(state: ClientState, removed: readonly number[]): Promise<Attempt> {
    const proposals: Proposal[] = removed.map((leaf) => ({
      proposalType: 'remove',
      remove: { removed: leaf },
    }))
    let pskIndex: PskIndex = emptyPskIndex
    if ([...leaves(state.ratchetTree)].length - removed.length === 1) {
      // Alone in the group there is no one to encrypt a path secret to, and ts-mls then takes a commit
      // secret of zeros: who was removed, or had the old state, could derive the next epoch. A
      // pre-shared key that nobody else knows, and nobody else needs, makes the epoch secret fresh again.
      const { proposal, index } = ownPreSharedKey(this.crypto)
      proposals.push(proposal)
      pskIndex = index
    }
    const { newState, commit } = await createCommit(
      { state, cipherSuite: this.crypto, pskIndex },
      { wireAsPublicMessage: true, extraProposals: proposals },
    )
    if (commit.wireformat !== 'mls_public_message') {
      throw new KeysError('internal', `commit as ${commit.wireformat}`)
    }
    return this.attempt(newState, commit.publicMessage)
  }

  /** @throws KeysError `commit-invalid`, `identity-refused` or `too-many-members` */
  async apply(state: ClientState, message: PublicMessage): Promise<Applied> {
    return asKeysError('commit-invalid', 'cannot apply a commit', async () => {
      const { groupContext, ratchetTree, keySchedule } = state
      const commit = checkCommit(message, groupContext, ratchetTree, this.maxMembers)
      const content = message.content
      // A member's own commit leaves its credential as it was.
      if (commit.external && content.contentType === 'commit' && content.commit.path) {
        await authenticateLeaf(this.authenticate, content.commit.path.leafNode, true)
      }
      if (commit.removed.includes(state.privatePath.leafIndex)) {
        const { membershipKey } = keySchedule
        await unprotectPublicMessage(membershipKey, groupContext, ratchetTree, message, this.crypto)
        return { kind: 'removed', commit }
      }
      const result = await processPublicMessage(state, message, emptyPskIndex, this.crypto)
      return { kind: 'epoch', state: trim(result.newState), commit }
    })
  }

  /** @returns a base key of `length` bytes (RFC 9605 section 5.2) and the epoch's code. */
  async exportKeys(
    state: ClientState,
    length: number,
  ): Promise<{ baseKey: Uint8Array; verificationCode: string; epochAuthenticator: Uint8Array }> {
    const { exporterSecret, epochAuthenticator } = state.keySchedule
    const context = new Uint8Array(0)
    return {
      baseKey: await mlsExporter(exporterSecret, EXPORTER_LABEL, context, length, this.crypto),
      verificationCode: verificationCode(epochAuthenticator),
      epochAuthenticator: epochAuthenticator.slice(),
    }
  }

  /** Of the epoch whose exporter secret is still there. */
  exporter({ groupContext, keySchedule }: ClientState): Promise<EpochExporter> {
    return EpochExporter.from(Number(groupContext.epoch), keySchedule.exporterSecret, this.crypto)
  }

  /** Whether external commits from this GroupInfo of the state's epoch can be applied. */
  async canBeJoined({ keySchedule }: ClientState, { extensions }: GroupInfo): Promise<boolean> {
    const { hpke } = this.crypto
    const { publicKey } = await hpke.deriveKeyPair(keySchedule.externalSecret)
    const expected = await hpke.exportPublicKey(publicKey)
    const given = extensions.find(({ extensionType }) => extensionType === 'external_pub')
    return given !== undefined && sameBytes(given.extensionData, expected)
  }

  sign(state: ClientState, label: string, content: Uint8Array): Promise<Uint8Array> {
    return signAsLeaf(state, label, content, this.crypto)
  }

  verify(
    publicKey: Uint8Array,
    label: string,
    content: Uint8Array,
    signature: Uint8Array,
  ): Promise<boolean> {
    return verifyAsLeaf(publicKey, label, content, signature, this.crypto)
  }

  private async attempt(newState: ClientState, message: PublicMessage): Promise<Attempt> {
    const state = trim(newState)
    const wireformat = 'mls_public_message'
    return {
      state,
      commit: encodeMlsMessage({ version: 'mls10', wireformat, publicMessage: message }),
      groupInfo: await this.groupInfoOf(state),
    }
  }

  private async groupInfoOf(state: ClientState): Promise<Uint8Array> {
    const groupInfo = await createGroupInfoWithExternalPubAndRatchetTree(state, [], this.crypto)
    return encodeMlsMessage({ version: 'mls10', wireformat: 'mls_group_info', groupInfo })
  }
}
