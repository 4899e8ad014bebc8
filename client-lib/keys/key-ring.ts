/** What a participant brings to a group: its signature keys, and an identity under each suite. */

import type { SuiteName } from '../../moq/delivery/index.ts'
import { createIdentity, type Identity, type SignatureKeys } from './identity.ts'
import { type EngineSettings, MlsEngine } from './mls-engine.ts'

export class KeyRing {
  private readonly participantId: string
  private readonly settings: EngineSettings
  private readonly engines = new Map<SuiteName, MlsEngine>()
  private readonly ownsKeys: boolean
  private signatureKeys: SignatureKeys | null
  private joining: { suite: SuiteName; identity: Identity } | null = null

  constructor(participantId: string, keys: SignatureKeys | undefined, settings: EngineSettings) {
    this.participantId = participantId
    this.signatureKeys = keys ?? null
    this.ownsKeys = keys === undefined
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
    this.signatureKeys ??= await engine.generateSignatureKeys()
    return createIdentity(this.participantId, engine.impl, this.signatureKeys)
  }

  /** For joining: an external commit makes its own leaf key, so one identity serves all tries. */
  async joiningIdentity(engine: MlsEngine): Promise<Identity> {
    if (this.joining?.suite !== engine.suite) {
      this.joining = { suite: engine.suite, identity: await this.foundingIdentity(engine) }
    }
    return this.joining.identity
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
