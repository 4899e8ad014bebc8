import { ResetCode } from '../wire/codes.ts'
import type { FullTrackName } from '../wire/names.ts'
import type { MoqObject } from '../wire/object.ts'
import type { SubgroupHeader } from '../wire/subgroup.ts'
import type { AliasSink } from './alias-sink.ts'
import type { Subscription } from './subscription.ts'
import type { IncomingSubgroup } from './subscription-handler.ts'

/**
 * Subscriptions of ours to one track under one alias (draft-19 section 5.1). The publisher sends an
 * object once for each that it passes, and nothing says for which: it goes to every one whose filter it
 * passes, and filters that overlap bring duplicates, which their owners have to expect.
 */
export class SharedAlias implements AliasSink {
  private readonly members: Subscription[]

  /** @param members two at least, of one track */
  constructor(...members: Subscription[]) {
    this.members = members
    for (const member of members) member.shareAlias()
  }

  get track(): FullTrackName {
    return this.members[0]!.track
  }

  get established(): boolean {
    return this.members.some(({ established }) => established)
  }

  has(subscription: Subscription): boolean {
    return this.members.includes(subscription)
  }

  add(subscription: Subscription): void {
    if (this.has(subscription)) return
    subscription.shareAlias()
    this.members.push(subscription)
  }

  /** @returns whether others are left */
  delete(subscription: Subscription): boolean {
    const at = this.members.indexOf(subscription)
    if (at >= 0 && this.members.length > 1) this.members.splice(at, 1)
    else if (at >= 0) return false
    return true
  }

  deliver(object: MoqObject, subgroup: IncomingSubgroup | null): void {
    if (subgroup) {
      for (const share of sharesOf(subgroup)) share.deliver(object)
      return
    }
    for (const member of [...this.members]) {
      if (member.takes(object.group, object.object)) member.deliver(object, null)
    }
  }

  subgroupOpened(subgroup: IncomingSubgroup): void {
    const { group } = subgroup.header
    const wanting = this.members.filter((member) => member.takes(group, Number.POSITIVE_INFINITY))
    subgroup.context = wanting.map((member) => new SubgroupShare(subgroup, member))
    if (wanting.length === 0) subgroup.stop(ResetCode.CANCELLED)
    for (const share of sharesOf(subgroup)) share.member.subgroupOpened(share)
  }

  subgroupEnded(subgroup: IncomingSubgroup): void {
    for (const share of sharesOf(subgroup)) {
      if (share.end()) share.member.subgroupEnded(share)
    }
  }

  subgroupReset(subgroup: IncomingSubgroup, code: number): void {
    for (const share of sharesOf(subgroup)) {
      if (share.end()) share.member.subgroupReset(share, code)
    }
  }

  /** By us, when nobody wanted it any more. */
  subgroupStopped(): void {}
}

/** A stream as one of the subscriptions sees it. */
class SubgroupShare implements IncomingSubgroup {
  context: unknown = null
  readonly member: Subscription
  private readonly whole: IncomingSubgroup
  private over = false

  constructor(whole: IncomingSubgroup, member: Subscription) {
    this.whole = whole
    this.member = member
  }

  get header(): SubgroupHeader {
    return this.whole.header
  }

  get objectBeganAt(): number {
    return this.whole.objectBeganAt
  }

  deliver(object: MoqObject): void {
    if (!this.over && this.member.takes(object.group, object.object)) {
      this.member.deliver(object, this)
    }
  }

  /** @returns false when it was over before */
  end(): boolean {
    const first = !this.over
    this.over = true
    return first
  }

  /** The stream goes on while another of them takes it. */
  stop(code: number): void {
    if (!this.end()) return
    this.member.subgroupStopped(this)
    if (sharesOf(this.whole).every(({ over }) => over)) this.whole.stop(code)
  }
}

/** What `subgroupOpened` left there. */
function sharesOf(subgroup: IncomingSubgroup): readonly SubgroupShare[] {
  return subgroup.context as readonly SubgroupShare[]
}
