import { encodeSubgroupHeader, type SubgroupHeader } from '../../moq/wire/subgroup.ts'
import type { SharedHeader, SubgroupSource } from '../forward/flow.ts'
import type { SubgroupTimeouts } from './subgroup-timeouts.ts'

/** How the streams of a relayed subgroup are written: their headers, made once for all subscribers. */
export class SubgroupForm implements SubgroupSource {
  /** Its own, when its first object said them. */
  timeouts: SubgroupTimeouts | null = null
  private readonly base: SubgroupHeader
  /** By whether the stream begins with the subgroup's first object. */
  private readonly headers: [continued: SharedHeader | null, first: SharedHeader | null] = [
    null,
    null,
  ]

  constructor(header: SubgroupHeader) {
    this.base = header
  }

  get group(): number {
    return this.base.group
  }

  get subgroup(): number {
    return this.base.subgroup ?? 0
  }

  /** Whether bodies start with a properties field. */
  get hasProperties(): boolean {
    return this.base.hasProperties
  }

  withProperties(): SubgroupForm {
    const form = new SubgroupForm({ ...this.base, hasProperties: true })
    form.timeouts = this.timeouts
    return form
  }

  header(firstObject: boolean): SharedHeader {
    const index = firstObject ? 1 : 0
    const known = this.headers[index]
    if (known) return known
    const header = { ...this.base, firstObject }
    const made = { header, encoded: encodeSubgroupHeader(header) }
    this.headers[index] = made
    return made
  }
}
