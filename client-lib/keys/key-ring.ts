/** What a participant brings to a group: its signature keys, and an identity under each suite. */

import type { SuiteName } from '../../moq/delivery/index.ts'
import { sameBytes } from '../../moq/wire/names.ts'
import { KeysError } from './errors.ts'
import { createIdentity, credentialOf, type Identity, type SignatureKeys } from './identity.ts'
import { type EngineSettings, MlsEngine } from './mls-engine.ts'

const ED25519_KEY_BYTES = 32
const P256_KEY_BYTES = 65

export class KeyRing {
  private readonly participantId: string
  private readonly settings: EngineSettings
  private readonly engines = new Map<SuiteName, MlsEngine>()
  private readonly ownsKeys: boolean
  private signatureKeys: SignatureKeys | null
  private token: string | null
  private joining: { suite: SuiteName; identity: Identity } | null = null

  constructor(
    participantId: string,
    { keys, token }: { readonly keys?: SignatureKeys; readonly token?: string | null },
    settings: EngineSettings,
  ) {
    this.participantId = participantId
    this.signatureKeys = keys ?? null
    this.ownsKeys = keys === undefined
    this.token = token ?? null
    this.settings = settings
  }

  async engine(suite: SuiteName): Promise<MlsEngine> {
    const known = this.engines.get(suite)
    if (known !== undefined) return known
    const engine = await MlsEngine.load(suite, this.settings)
    this.engines.set(suite, engine)
    return engine
  }

  /** For a group of one's own: its leaf key becomes the group's, so each is used once. */
  async foundingIdentity(engine: MlsEngine): Promise<Identity> {
    const keys = await this.keysFor(engine)
    return createIdentity(credentialOf(this.participantId, this.token), engine.impl, keys)
  }

  /** For joining: an external commit makes its own leaf key, so one identity serves all tries. */
  async joiningIdentity(engine: MlsEngine): Promise<Identity> {
    if (this.joining?.suite !== engine.suite) {
      this.joining = { suite: engine.suite, identity: await this.foundingIdentity(engine) }
    }
    return this.joining.identity
  }

  /** For leaves that this member takes from now on. */
  setToken(token: string | null): void {
    this.token = token
    this.joining = null
  }

  /** The signature keys, if there are any yet. */
  get keys(): SignatureKeys | null {
    return this.signatureKeys
  }

  /** Takes those of a stored state; false where others were given. */
  adopt(keys: SignatureKeys): boolean {
    if (!this.ownsKeys) return sameBytes(this.signatureKeys!.publicKey, keys.publicKey)
    this.signatureKeys = keys
    return true
  }

  /** @throws KeysError `suite-mismatch` where the keys that were given are not of this suite */
  private async keysFor(engine: MlsEngine): Promise<SignatureKeys> {
    const wanted = engine.suite === 'p256' ? P256_KEY_BYTES : ED25519_KEY_BYTES
    if (this.signatureKeys?.publicKey.length === wanted) return this.signatureKeys
    if (!this.ownsKeys) {
      throw new KeysError('suite-mismatch', `the signature key is not of suite ${engine.suite}`)
    }
    this.signatureKeys?.signKey.fill(0)
    this.signatureKeys = await engine.generateSignatureKeys()
    return this.signatureKeys
  }

  /** Keys that were given stay with whoever gave them. */
  forget(): void {
    if (this.ownsKeys) this.signatureKeys?.signKey.fill(0)
    this.joining?.identity.privatePackage.initPrivateKey.fill(0)
    this.joining?.identity.privatePackage.hpkePrivateKey.fill(0)
    this.joining = null
    this.signatureKeys = null
  }
}
