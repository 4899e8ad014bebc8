/**
 * Where a membership is kept over a reload of the page. A state must never run twice: two members that
 * encrypt under one leaf in one epoch would use nonces twice. So a slot is leased to one holder at a
 * time, a state is taken out when it is read, and a member that restores one makes a commit of its own
 * before it sends anything (`restoring` in `member-state.ts`).
 */

export interface StateStore {
  /**
   * Leases a slot; null while another holder has it.
   * @param name for one participant of one room
   */
  open(name: string): Promise<StateSlot | null>
}

/** Calls do their work in the order in which they were made. */
export interface StateSlot {
  /** Reads what is kept and deletes it. Null when there is nothing, or nothing that can be read. */
  take(): Promise<Uint8Array | null>
  /** Replaces what is kept. The bytes are copied, or encrypted, before this settles. */
  save(bytes: Uint8Array): Promise<void>
  clear(): Promise<void>
  /** Ends the lease; what is kept stays. */
  close(): void
}

/** For tests, and for where nothing should outlive the process. */
export class MemoryStateStore implements StateStore {
  private readonly kept = new Map<string, Uint8Array>()
  private readonly leased = new Set<string>()

  async open(name: string): Promise<StateSlot | null> {
    if (this.leased.has(name)) return null
    this.leased.add(name)
    let open = true
    return {
      take: async () => {
        const bytes = open ? this.kept.get(name) : undefined
        if (open) this.kept.delete(name)
        return bytes ?? null
      },
      save: async (bytes) => {
        if (open) this.kept.set(name, bytes.slice())
      },
      clear: async () => {
        if (open) this.kept.delete(name)
      },
      close: () => {
        if (open) this.leased.delete(name)
        open = false
      },
    }
  }
}
