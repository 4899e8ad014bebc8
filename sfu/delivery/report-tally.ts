import type { SkipReport } from '../../moq/delivery/index.ts'

/** A submission of that kind. */
export interface Report {
  readonly epoch: number
  readonly commitHash: Uint8Array
  readonly signature: Uint8Array
}

/** Who reported which commit; only of commits that can still be skipped. */
export class ReportTally {
  private readonly byCommit = new Map<string, Map<number, Uint8Array>>()

  copy(): ReportTally {
    const copy = new ReportTally()
    for (const [key, reports] of this.byCommit) copy.byCommit.set(key, new Map(reports))
    return copy
  }

  /**
   * @param counted leaves whose reports count
   * @returns the reports that count, by leaf
   */
  add(
    hash: Uint8Array,
    leaf: number,
    signature: Uint8Array,
    counted: ReadonlySet<number>,
  ): SkipReport[] {
    const key = keyOf(hash)
    const reports = this.byCommit.get(key) ?? new Map<number, Uint8Array>()
    reports.set(leaf, signature.slice())
    this.byCommit.set(key, reports)
    return [...reports]
      .filter(([from]) => counted.has(from))
      .sort(([a], [b]) => a - b)
      .map(([from, signed]) => ({ leaf: from, signature: signed }))
  }

  /** Forgets the reports of every other commit. */
  keep(hashes: readonly (Uint8Array | undefined)[]): void {
    const kept = new Set(hashes.map((hash) => hash && keyOf(hash)))
    for (const key of this.byCommit.keys()) if (!kept.has(key)) this.byCommit.delete(key)
  }
}

function keyOf(hash: Uint8Array): string {
  return Buffer.from(hash).toString('base64')
}
