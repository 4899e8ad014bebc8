/** One object of a room's `log` track. */
export interface LogRecord {
  readonly epoch: number
  /** Location on the track: group, object. */
  readonly group: number
  readonly object: number
  readonly bytes: Uint8Array
}

/** The newest records of a room, for members that missed some; the oldest epochs go first. */
export class Log {
  private readonly maxRecords: number
  private readonly maxBytes: number
  private records: LogRecord[] = []
  private bytes = 0

  constructor(maxRecords: number, maxBytes: number) {
    this.maxRecords = maxRecords
    this.maxBytes = maxBytes
  }

  append(record: LogRecord): void {
    this.records.push(record)
    this.bytes += record.bytes.length
    let surplus = 0
    while (this.isOver(surplus)) this.bytes -= this.records[surplus++]!.bytes.length
    if (surplus > 0) this.records.splice(0, surplus)
  }

  /** The newest record always stays. */
  private isOver(surplus: number): boolean {
    const left = this.records.length - surplus
    return left > 1 && (left > this.maxRecords || this.bytes > this.maxBytes)
  }

  /** In order, from the first one kept. */
  all(): readonly LogRecord[] {
    return this.records
  }
}
