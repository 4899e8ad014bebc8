import type { ConnectionInfo } from '../types.ts'

/** How often the connection was lost or changed, and for how long there was none. */
export class Outages {
  private readonly now: () => number
  private connections = 0
  private lostAt: number | null = null
  private lastLostMs: number | null = null

  /** @param now ms */
  constructor(now: () => number) {
    this.now = now
  }

  get info(): ConnectionInfo {
    const { connections, lostAt } = this
    return {
      reconnects: Math.max(0, connections - 1),
      lostMs: lostAt === null ? null : Math.round(this.now() - lostAt),
      lastLostMs: this.lastLostMs,
    }
  }

  setLost(lost: boolean): void {
    if (lost) this.lostAt ??= this.now()
    else if (this.lostAt !== null) {
      this.lastLostMs = Math.round(this.now() - this.lostAt)
      this.lostAt = null
    }
  }

  /** The call goes on over another connection. */
  adopted(): void {
    // One that was never lost was exchanged without anybody noticing.
    if (this.connections++ > 0 && this.lostAt === null) this.lastLostMs ??= 0
  }
}
