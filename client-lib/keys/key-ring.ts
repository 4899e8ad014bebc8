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
  private readonly engines = new Map<SuiteName, Promise<MlsEngine>>()
  private readonly ownsKeys: boolean
  private signatureKeys: SignatureKeys | null
  private token: string | null
  private making: Promise<unknown> = Promise.resolve()
  private forgotten = false
  private joining: { suite: SuiteName; identity: Promise<Identity> } | null = null

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

  /** @throws UnsupportedSuiteError */
  engine(suite: SuiteName): Promise<MlsEngine> {
    const known = this.engines.get(suite)
    if (known !== undefined) return known
    const engine = MlsEngine.load(suite, this.settings)
    this.engines.set(suite, engine)
    // Perhaps a file of it could not be loaded: then it may be, the next time.
    engine.catch(() => this.engines.delete(suite))
    return engine
  }

  /** Makes what joining a room of this suite takes, before it is known what there is to join. */
  async prepare(suite: SuiteName): Promise<void> {
    await this.joiningIdentity(await this.engine(suite))
  }

  /** For a group of one's own: its leaf key becomes the group's, so each is used once. */
  async foundingIdentity(engine: MlsEngine): Promise<Identity> {
    const keys = await this.keysFor(engine)
    return createIdentity(credentialOf(this.participantId, this.token), engine.impl, keys)
  }

  /** For joining: an external commit makes its own leaf key, so one identity serves all tries. */
  joiningIdentity(engine: MlsEngine): Promise<Identity> {
    const { suite } = engine
    if (this.joining?.suite === suite) return this.joining.identity
    const joining = { suite, identity: this.foundingIdentity(engine) }
    this.joining = joining
    joining.identity.catch(() => {
      if (this.joining === joining) this.joining = null
    })
    return joining.identity
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

  /** One after the other: two that want keys get the same. @throws as `nextKeys` */
  private keysFor(engine: MlsEngine): Promise<SignatureKeys> {
    const keys = this.making.then(() => this.nextKeys(engine))
    this.making = keys.catch(() => {})
    return keys
  }

  /** @throws KeysError `suite-mismatch` where the keys that were given are not of this suite */
  private async nextKeys(engine: MlsEngine): Promise<SignatureKeys> {
    const wanted = engine.suite === 'p256' ? P256_KEY_BYTES : ED25519_KEY_BYTES
    if (this.signatureKeys?.publicKey.length === wanted) return this.signatureKeys
    if (!this.ownsKeys) {
      throw new KeysError('suite-mismatch', `the signature key is not of suite ${engine.suite}`)
    }
    this.signatureKeys?.signKey.fill(0)
    const keys = await engine.generateSignatureKeys()
    if (this.forgotten) keys.signKey.fill(0)
    this.signatureKeys = keys
    return keys
  }

  /** Keys that were given stay with whoever gave them. */
  forget(): void {
    this.forgotten = true
    if (this.ownsKeys) this.signatureKeys?.signKey.fill(0)
    // Also one that is still being made.
    this.joining?.identity.then(wipeIdentity, () => {})
    this.joining = null
    this.signatureKeys = null
  }
}

function wipeIdentity({ privatePackage }: Identity): void {
  privatePackage.initPrivateKey.fill(0)
  privatePackage.hpkePrivateKey.fill(0)
}
