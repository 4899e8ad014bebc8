/** The two ways into a room's group: found it, or join it by external commit. */

import type { GroupInfo } from 'ts-mls'
import { defaultSuite, type Snapshot, type SuiteName } from '../../moq/delivery/index.ts'
import { admitAll } from './authenticate.ts'
import { KeysError } from './errors.ts'
import { KeyRing } from './key-ring.ts'
import type { MemberState } from './member-state.ts'
import type { MemberEvents, MemberOptions } from './member-types.ts'
import type { SavedMember } from './state-codec.ts'

export class Entrance {
  private readonly suite: SuiteName
  private readonly mayAdopt: boolean
  private readonly events: MemberEvents
  readonly keys: KeyRing
  private adopted: SuiteName | null = null

  constructor(options: MemberOptions, events: MemberEvents, maxMembers: number) {
    this.suite = options.suite ?? defaultSuite
    this.mayAdopt = options.suitePolicy !== 'require'
    this.events = events
    const { participantId, signatureKeys: keys, token, crypto } = options
    const settings = { authenticate: options.authenticate ?? admitAll, maxMembers, crypto }
    this.keys = new KeyRing(participantId, { keys, token }, settings)
  }

  /** Makes, while nothing else is to do, what joining takes; whoever joins is told what fails. */
  prepare(): void {
    this.keys.prepare(this.suite).catch(() => {})
  }

  async create(): Promise<MemberState> {
    const engine = await this.keys.engine(this.suite)
    const founding = await engine.create(await this.keys.foundingIdentity(engine))
    return { name: 'creating', engine, founding }
  }

  /** @throws KeysError `suite-mismatch`, or what `MlsEngine.join` throws */
  async join({ suite, epoch, groupInfo }: Snapshot, info: GroupInfo): Promise<MemberState> {
    this.checkSuite(suite)
    const engine = await this.keys.engine(suite)
    const attempt = await engine.join(await this.keys.joiningIdentity(engine), info)
    return { name: 'joining', engine, attempt, epoch: epoch + 1, base: groupInfo, info }
  }

  /** Back with a stored state; null where it is of no use. */
  async restore({ suite, signatureKeys, group }: SavedMember): Promise<MemberState | null> {
    if (!this.keys.adopt(signatureKeys) || group === null) return null
    const engine = await this.keys.engine(suite)
    const epoch = Number(group.groupContext.epoch)
    return { name: 'restoring', engine, group, epoch, pending: null }
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
