/** What this member itself knows of its epochs: the rows of its statements. */

import { sha256 } from '@noble/hashes/sha2.js'
import { decodeLogEntry, type LogEntry } from '../../moq/delivery/index.ts'
import { GROUP_BYTES, MAX_ROWS, type Row, TAG_BYTES, toHex } from './statement.ts'

export interface EnteredEpoch {
  readonly groupId: Uint8Array
  readonly epoch: number
  readonly epochAuthenticator: Uint8Array
  /** This member came in by it, or made the group: it may not have seen all of its log entries. */
  readonly isFirst: boolean
}

export interface OwnRow extends Row {
  readonly enteredAt: number
  /** Keys in statements that came before this, ms, do not count against it. */
  judgedFrom: number
  logTag: string | null
  /** Null when the log of this epoch cannot be vouched for. */
  logKey: Uint8Array | null
}

/** Epochs whose log entries are remembered, and entries an epoch. */
const MAX_LOG_EPOCHS = 2 * MAX_ROWS
const MAX_ENTRIES = 512
/** Members that were cut off may have missed entries of epochs that begin so soon after, ms. */
const CATCH_UP_MS = 10_000
/** For this long after a commit was taken back, epochs may be made anew, ms. */
const SKIP_MS = 10_000
/**
 * Who had applied the commit may hear of this so much later than the others, ms, and says nothing more
 * until it has joined anew.
 */
const GO_BACK_MS = 2000

const ALWAYS = Number.NEGATIVE_INFINITY

const utf8 = new TextEncoder()

export class Ledger {
  /** ms; when what the newest statement says last changed. */
  changedAt = 0
  /** This member is in no group for now: it can check nobody's statements. */
  isOutside = false
  private readonly now: () => number
  private own: OwnRow[] = []
  /** By epoch: the log entries that were seen, by hash. */
  private readonly entries = new Map<number, Map<string, Uint8Array>>()
  private doubtfulUntil = Number.NEGATIVE_INFINITY
  private skippedAt = Number.NEGATIVE_INFINITY

  /** @param now ms, monotonic */
  constructor(now: () => number) {
    this.now = now
  }

  get rows(): readonly OwnRow[] {
    return this.own
  }

  get current(): Row | null {
    return this.own.at(-1) ?? null
  }

  /** The last rows, at most `count` unless one epoch has more. */
  newest(count: number): readonly Row[] {
    let start = Math.max(0, this.own.length - count)
    while (start > 0 && isSameEpoch(this.own[start - 1]!, this.own[start]!)) start -= 1
    return this.own.slice(start)
  }

  enter({ groupId, epoch, epochAuthenticator, isFirst }: EnteredEpoch): void {
    this.isOutside = false
    const group = tag('group', GROUP_BYTES, groupId)
    const keyTag = tag('keys', TAG_BYTES, groupId, epochAuthenticator)
    const known = this.current
    if (known?.group === group && known.epoch === epoch && known.keyTag === keyTag) return
    // Another group counts its epochs anew: entries of the old one would pass for its.
    if (known !== null && known.group !== group) {
      this.entries.clear()
      this.interrupt()
    }
    const now = this.now()
    const vouched = !isFirst && now >= this.doubtfulUntil
    const logKey = vouched ? labelled('log key', groupId, epochAuthenticator) : null
    const judgedFrom = now < this.skippedAt + SKIP_MS ? now + GO_BACK_MS : ALWAYS
    const row: OwnRow = { group, epoch, keyTag, enteredAt: now, judgedFrom, logTag: null, logKey }
    this.own.push(row)
    if (this.own.length > MAX_ROWS) this.own.shift()
    this.rehash(row)
    this.changedAt = now
  }

  /** The group took `epoch` and those after it back, by its own rules: they were no fork. */
  takeBack(epoch: number): void {
    const { current } = this
    if (current === null) return
    this.own = this.own.filter((row) => row.group !== current.group || row.epoch < epoch)
    this.changedAt = this.now()
  }

  /** The payload of an object of the `log` track, as it came; true when it says something new. */
  see(payload: Uint8Array): boolean {
    const entry = entryOf(payload)
    if (entry === null) return false
    const { epoch } = entry
    let seen = this.entries.get(epoch)
    if (seen === undefined) {
      seen = new Map()
      this.entries.set(epoch, seen)
      const [oldest] = this.entries.keys()
      if (this.entries.size > MAX_LOG_EPOCHS) this.entries.delete(oldest!)
    }
    const hash = sha256(payload)
    const name = toHex(hash)
    if (seen.has(name) || seen.size >= MAX_ENTRIES) return false
    seen.set(name, hash)
    if (entry.kind === 'skipped') this.noteSkip(epoch)
    for (const row of this.own) if (row.epoch === epoch) this.rehash(row)
    this.changedAt = this.now()
    return true
  }

  /**
   * The commit that makes an epoch anew may overtake the entry that took the first one back. A row gets no
   * more time than if it had come in order, whatever else is taken back.
   */
  private noteSkip(epoch: number): void {
    const now = this.now()
    this.skippedAt = now
    for (const row of this.own) {
      if (row.epoch < epoch || now > row.enteredAt + GO_BACK_MS) continue
      row.judgedFrom = Math.max(row.judgedFrom, row.enteredAt + GO_BACK_MS)
    }
  }

  /** Entries may have been missed: nothing so far, nor what begins now, is vouched for. */
  interrupt(): void {
    this.doubtfulUntil = this.now() + CATCH_UP_MS
    for (const row of this.own) {
      row.logKey = null
      row.logTag = null
    }
  }

  /** Entries in the order of their hashes: in which order streams arrive says nothing. */
  private rehash(row: OwnRow): void {
    if (row.logKey === null) return
    const seen = this.entries.get(row.epoch) ?? new Map<string, Uint8Array>()
    const hashes = [...seen.keys()].sort().map((name) => seen.get(name)!)
    row.logTag = tag('log', TAG_BYTES, row.logKey, ...hashes)
  }
}

export function isSameEpoch(a: Row, b: Row): boolean {
  return a.group === b.group && a.epoch === b.epoch
}

function entryOf(payload: Uint8Array): LogEntry | null {
  try {
    return decodeLogEntry(payload)
  } catch {
    // What no member can read changes no group.
    return null
  }
}

function tag(label: string, bytes: number, ...parts: readonly Uint8Array[]): string {
  return toHex(labelled(label, ...parts).subarray(0, bytes))
}

function labelled(label: string, ...parts: readonly Uint8Array[]): Uint8Array {
  const hash = sha256.create().update(utf8.encode(`Sotto statement 1 ${label}\0`))
  for (const part of parts) hash.update(Uint8Array.of(part.length)).update(part)
  return hash.digest()
}
