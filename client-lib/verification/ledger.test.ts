import { describe, expect, it } from 'vitest'
import { encodeLogEntry } from '../../moq/delivery/index.ts'
import { compare } from './comparison.ts'
import { type EnteredEpoch, Ledger } from './ledger.ts'
import { MAX_ROWS } from './statement.ts'

let time = 0
const ledger = () => new Ledger(() => time)

/** Epoch `epoch` of group `group`; branches of a fork have other keys. */
function epochOf(epoch: number, branch = 0, group = 0): EnteredEpoch {
  return {
    groupId: new Uint8Array(16).fill(group),
    epoch,
    epochAuthenticator: new Uint8Array(64).fill(branch),
    isFirst: false,
  }
}

function goodbye(participant: string, epoch: number): Uint8Array {
  return encodeLogEntry({ kind: 'left', participant, epoch })
}

function entered(...epochs: EnteredEpoch[]): Ledger {
  const made = ledger()
  for (const epoch of epochs) made.enter(epoch)
  return made
}

const agreed = { keys: false, together: true, groups: false, lead: 0, log: false }

describe('an epoch that was made anew', () => {
  const skip = (epoch: number, fill = 0) =>
    encodeLogEntry({
      kind: 'skipped',
      epoch,
      participant: 'ann',
      commitHash: new Uint8Array(32).fill(fill),
      transcript: new Uint8Array(32),
      undone: [],
      reports: [],
    })
  /** When what somebody else says of epoch 2 counts, ms after it began here. */
  const countsFrom = (made: Ledger) => made.rows.at(-1)!.judgedFrom

  it('is compared 2 s later, in whatever order its commit and the skip of the first one came', () => {
    time = 0
    const [ordered, overtaken] = [entered(epochOf(1)), entered(epochOf(1), epochOf(2))]
    time = 1000
    ordered.see(skip(2))
    overtaken.see(skip(2))
    ordered.enter(epochOf(2))
    expect(countsFrom(ordered)).toBe(3000)
    expect(countsFrom(overtaken)).toBe(2000)
  })

  it('gets no more time by more skips, nor by a late one or one of a later epoch', () => {
    time = 0
    const [again, late, other] = [1, 2, 3].map(() => entered(epochOf(1), epochOf(2)))
    other!.see(skip(3))
    for (time = 500; time < 5000; time += 500) again!.see(skip(2, time / 500))
    late!.see(skip(2))
    expect(countsFrom(again!)).toBe(2000)
    expect(countsFrom(late!)).toBe(Number.NEGATIVE_INFINITY)
    expect(countsFrom(other!)).toBe(Number.NEGATIVE_INFINITY)
    time = 0
  })
})

describe('two ledgers', () => {
  it('agree after the same epochs, in whatever order log entries came', () => {
    const [ann, bob] = [entered(epochOf(1)), entered(epochOf(1))]
    const entries = [goodbye('cyn', 1), goodbye('dan', 1), goodbye('cyn', 2)]
    for (const entry of entries) ann.see(entry)
    for (const entry of [...entries.toReversed(), entries[0]!]) bob.see(entry)
    for (const made of [ann, bob]) made.enter(epochOf(2))
    expect(compare(ann.rows, bob.rows, time)).toEqual(agreed)
    expect(ann.rows.every(({ logTag }) => logTag !== null)).toBe(true)
  })

  it('agree though one has the shorter history', () => {
    const [ann, bob] = [entered(epochOf(1), epochOf(2)), entered(epochOf(2))]
    expect(compare(ann.rows, bob.rows, time)).toEqual(agreed)
    expect(compare(bob.rows, ann.rows, time)).toEqual(agreed)
  })

  it('differ in keys for one epoch, now and after a merge', () => {
    const ann = entered(epochOf(1), epochOf(2, 1))
    const bob = entered(epochOf(1), epochOf(2, 2))
    expect(compare(ann.rows, bob.rows, time)).toMatchObject({ keys: true, together: false })
    for (const made of [ann, bob]) made.enter(epochOf(3))
    expect(compare(ann.rows, bob.rows, time)).toMatchObject({ keys: true, together: true })
  })

  it('differ when one was in two branches of an epoch, and the other in one of them', () => {
    const ann = entered(epochOf(1), epochOf(2, 1))
    const bob = entered(epochOf(1), epochOf(2, 2), epochOf(2, 1))
    expect(compare(ann.rows, bob.rows, time)).toMatchObject({ keys: true, together: true })
    expect(compare(bob.rows, ann.rows, time)).toMatchObject({ keys: true, together: true })
  })

  it('agree when the group itself took an epoch back', () => {
    const ann = entered(epochOf(1), epochOf(2, 1))
    ann.takeBack(2)
    ann.enter(epochOf(2, 2))
    const bob = entered(epochOf(1), epochOf(2, 2))
    expect(compare(ann.rows, bob.rows, time)).toEqual(agreed)
  })

  it('differ in the log when one has seen an entry that the other has not', () => {
    const [ann, bob] = [entered(epochOf(1)), entered(epochOf(1))]
    ann.see(goodbye('cyn', 1))
    expect(compare(ann.rows, bob.rows, time)).toEqual({ ...agreed, log: true })
  })

  it('say who is ahead, and when each is in a group of its own', () => {
    const [ann, bob] = [entered(epochOf(1)), entered(epochOf(1), epochOf(2))]
    expect(compare(ann.rows, bob.rows, time).lead).toBe(1)
    expect(compare(bob.rows, ann.rows, time).lead).toBe(-1)
    const other = entered(epochOf(1, 0, 1))
    expect(compare(ann.rows, other.rows, time)).toMatchObject({
      groups: true,
      lead: 0,
      keys: false,
    })
  })
})

describe('a ledger', () => {
  it('does not vouch for the log of the epoch that it came in by', () => {
    const made = entered({ ...epochOf(1), isFirst: true }, epochOf(2))
    expect(made.rows.map(({ logTag }) => logTag === null)).toEqual([true, false])
  })

  it('vouches for no log that was cut off, until a while after', () => {
    const made = entered(epochOf(1))
    made.interrupt()
    made.enter(epochOf(2))
    time += 10_000
    made.enter(epochOf(3))
    made.see(goodbye('cyn', 1))
    expect(made.rows.map(({ logTag }) => logTag === null)).toEqual([true, true, false])
  })

  it('takes no entries of one group for those of another', () => {
    const ann = entered(epochOf(1))
    ann.see(goodbye('cyn', 7))
    ann.enter(epochOf(1, 0, 1))
    const bob = entered(epochOf(1, 0, 1))
    time += 10_000
    for (const made of [ann, bob]) made.enter(epochOf(7, 0, 1))
    expect(compare(ann.rows, bob.rows, time)).toEqual(agreed)
    expect(ann.current!.logTag).not.toBeNull()
  })

  it('keeps the last epochs, and ignores what is no log entry', () => {
    const made = entered(...Array.from({ length: MAX_ROWS + 5 }, (_, epoch) => epochOf(epoch)))
    expect(made.rows).toHaveLength(MAX_ROWS)
    expect(made.current!.epoch).toBe(MAX_ROWS + 4)
    expect(made.newest(4).map(({ epoch }) => epoch)).toEqual([25, 26, 27, 28])
    expect(made.see(Uint8Array.of(1, 2, 3))).toBe(false)
  })

  it('never cuts a repetition through an epoch of two branches', () => {
    const made = entered(epochOf(1), epochOf(2, 1), epochOf(2, 2), epochOf(3))
    expect(made.newest(2).map(({ epoch }) => epoch)).toEqual([2, 2, 3])
  })
})
