import type { Participant } from '../types.ts'

/**
 * A member may be gone without a goodbye, and is removed after a while; one that is still in the group
 * after this long, ms, hides from the list of those who are there.
 */
const HIDDEN_MS = 12_000

const ALARM = 'This member has the keys of the call but does not show itself: it may be listening.'

/**
 * Members of the group whom the relay does not announce. Whoever holds the keys must be seen by the
 * others, whatever the relay says, or the verification code would vouch for a stranger.
 */
export class HiddenMembers {
  private readonly now: () => number
  /** Since when each member of the group was not announced. */
  private readonly since = new Map<string, number>()

  /** @param now ms, monotonic */
  constructor(now: () => number) {
    this.now = now
  }

  /** @param roster participant ids in the group, without our own */
  update(roster: readonly string[], isAnnounced: (id: string) => boolean): void {
    const hidden = new Set(roster.filter((id) => !isAnnounced(id)))
    for (const id of this.since.keys()) if (!hidden.has(id)) this.since.delete(id)
    for (const id of hidden) if (!this.since.has(id)) this.since.set(id, this.now())
  }

  /** Those to be shown, with an alarm each. */
  infos(): Participant[] {
    const before = this.now() - HIDDEN_MS
    return [...this.since]
      .filter(([, since]) => since <= before)
      .map(([id]) => {
        const security = { alarms: [ALARM], alarmNames: ['ghost'], safetyNumber: '' } as const
        return { id, name: '', local: false, tracks: [], ...security }
      })
  }
}
