/**
 * What became of the newest commits of a room, by the hash of the submitted bytes: the same one again
 * is answered as before and changes nothing.
 */
export class CommitLedger {
  private readonly verdicts = new Map<string, 'taken' | 'skipped'>()
  private readonly most: number

  constructor(most: number) {
    this.most = most
  }

  copy(): CommitLedger {
    const copy = new CommitLedger(this.most)
    for (const [key, verdict] of this.verdicts) copy.verdicts.set(key, verdict)
    return copy
  }

  put(hash: Uint8Array, verdict: 'taken' | 'skipped'): void {
    const key = keyOf(hash)
    this.verdicts.delete(key)
    this.verdicts.set(key, verdict)
    if (this.verdicts.size <= this.most) return
    for (const oldest of this.verdicts.keys()) {
      this.verdicts.delete(oldest)
      return
    }
  }

  get(hash: Uint8Array): 'taken' | 'skipped' | undefined {
    return this.verdicts.get(keyOf(hash))
  }
}

function keyOf(hash: Uint8Array): string {
  return Buffer.from(hash).toString('base64')
}
