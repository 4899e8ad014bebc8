import { SubgroupFlow } from '../forward/flow.ts'
import type { Downstream } from './downstream.ts'
import type { SubgroupForm } from './subgroup-form.ts'

/**
 * One downstream stream of a relayed subgroup. Besides what the scheduler needs it knows how far it
 * came and how it may end (draft-18 section 11.4.3).
 */
export class RelayedFlow extends SubgroupFlow {
  readonly downstream: Downstream
  private readonly form: SubgroupForm
  /** Id of the last object queued on it, or -1. */
  last = -1
  /** Nothing that the subscriber should have had of the subgroup before was left out. */
  readonly whole: boolean
  /** Its end is queued: nothing may follow. */
  private closing = false
  /** Not null: it ends by a reset, behind what is queued. */
  private resetCode: number | null = null

  constructor(downstream: Downstream, form: SubgroupForm, firstObject: boolean, whole: boolean) {
    super(downstream, form, firstObject)
    this.form = form
    this.downstream = downstream
    this.whole = whole
  }

  override get objectTimeoutMs(): number {
    const own = this.form.timeouts?.objectMs ?? null
    return own === null ? super.objectTimeoutMs : this.downstream.objectTimeoutOf(own)
  }

  override get subgroupTimeoutMs(): number {
    const own = this.form.timeouts?.subgroupMs ?? null
    return own === null ? super.subgroupTimeoutMs : this.downstream.subgroupTimeoutOf(own)
  }

  get isOpen(): boolean {
    return !this.closing && !this.over
  }

  /** Its FIN is queued: the publisher's FIN came, and it has what came before that. */
  get complete(): boolean {
    return this.closing && this.resetCode === null
  }

  override get endsByReset(): boolean {
    return this.resetCode !== null
  }

  /** FIN behind what is queued. */
  close(): void {
    if (!this.isOpen) return
    this.closing = true
    this.downstream.peer.egress.queueEnd(this)
  }

  /**
   * A reset behind what is queued: those objects still go out, unless the transport leaves them lying
   * for long, and no more.
   */
  breakOff(code: number): void {
    if (!this.isOpen) return
    this.resetCode = code
    this.close()
  }

  override finish(): void {
    if (this.resetCode === null) super.finish()
    else this.abandon(this.resetCode)
  }
}
