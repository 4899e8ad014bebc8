/** The two ways into a room's group: found it, or join it by external commit. */

import type { GroupInfo } from 'ts-mls'
import { defaultSuite, type Snapshot, type SuiteName } from '../../moq/delivery/index.ts'
import { KeysError } from './errors.ts'
import { KeyRing } from './key-ring.ts'
import type { MemberState } from './member-state.ts'
import type { MemberEvents, MemberOptions } from './member-types.ts'

export class Entrance {
  private readonly suite: SuiteName
  private readonly mayAdopt: boolean
  private readonly events: MemberEvents
  private readonly keys: KeyRing
  private adopted: SuiteName | null = null

  constructor(options: MemberOptions, events: MemberEvents, maxMembers: number) {
    this.suite = options.suite ?? defaultSuite
    this.mayAdopt = options.suitePolicy !== 'require'
    this.events = events
    const authenticate = options.authenticate ?? (() => true)
    const settings = { authenticate, maxMembers }
    this.keys = new KeyRing(options.participantId, options.signatureKeys, settings)
  }

  async create(): Promise<MemberState> {
    const engine = await this.keys.engine(this.suite)
    const founding = await engine.create(await this.keys.foundingIdentity(engine))
    return { name: 'creating', engine, founding }
  }

  /** @throws KeysError `suite-mismatch`, or what `MlsEngine.join` throws */
  async join({ suite, epoch }: Snapshot, info: GroupInfo): Promise<MemberState> {
    this.checkSuite(suite)
    const engine = await this.keys.engine(suite)
    const attempt = await engine.join(await this.keys.joiningIdentity(engine), info)
    return { name: 'joining', engine, attempt, epoch: epoch + 1 }
  }

  forget(): void {
    this.keys.forget()
  }

  private checkSuite(suite: SuiteName): void {
    if (suite === this.suite || suite === this.adopted) return
    const message = `the room has suite ${suite}, not ${this.suite}`
    if (!this.mayAdopt) throw new KeysError('suite-mismatch', message)
    this.adopted = suite
    this.events.onAlarm({ code: 'suite-adopted', message })
  }
}
