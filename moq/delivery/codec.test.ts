import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatTrack, namespaceOf } from '../wire/names.ts'
import {
  COMMIT_HASH_BYTES,
  DeliveryFormatError,
  decodeLogEntry,
  decodeSnapshot,
  decodeSubmission,
  deliveryNamespace,
  encodeLogEntry,
  encodeSnapshot,
  encodeSubmission,
  groupInfoTrack,
  type LogEntry,
  logTrack,
  MAX_REPORTS,
  MAX_SIGNATURE_BYTES,
  MAX_TRANSCRIPT_BYTES,
  MAX_UNDONE,
  parseDeliveryNamespace,
  type Snapshot,
  type Submission,
  type SuiteName,
  submissionTrack,
} from './index.ts'

const bytes = (maxLength = 300) => fc.uint8Array({ minLength: 1, maxLength })
const suite = fc.constantFrom<SuiteName>('x-wing', 'classical')
const epoch = fc.maxSafeNat()
const participant = fc
  .string({ minLength: 1, maxLength: 30, unit: 'grapheme' })
  .filter((id) => !id.startsWith('.') && id.isWellFormed() && Buffer.byteLength(id) <= 128)

const commitHash = fc.uint8Array({ minLength: COMMIT_HASH_BYTES, maxLength: COMMIT_HASH_BYTES })
const signature = bytes(MAX_SIGNATURE_BYTES)
const reports = fc
  .uniqueArray(fc.record({ leaf: fc.nat(), signature }), { selector: ({ leaf }) => leaf })
  .map((list) => list.sort((a, b) => a.leaf - b.leaf))

const submission: fc.Arbitrary<Submission> = fc.oneof(
  fc.record({ kind: fc.constant('create' as const), suite, groupInfo: bytes() }),
  fc.record({ kind: fc.constant('commit' as const), commit: bytes(), groupInfo: bytes() }),
  fc.constant({ kind: 'leave' as const }),
  fc.record({ kind: fc.constant('report' as const), epoch, commitHash, signature }),
)

const entry: fc.Arbitrary<LogEntry> = fc.oneof(
  fc.record({
    kind: fc.constant('created' as const),
    epoch,
    participant,
    suite,
    groupId: bytes(32),
  }),
  fc.record({ kind: fc.constant('commit' as const), epoch, participant, commit: bytes() }),
  fc.record({ kind: fc.constant('left' as const), epoch, participant }),
  fc.record({
    kind: fc.constant('skipped' as const),
    epoch,
    participant,
    commitHash,
    transcript: bytes(MAX_TRANSCRIPT_BYTES),
    undone: fc.array(commitHash, { maxLength: 5 }),
    reports,
  }),
)

const snapshot: fc.Arbitrary<Snapshot> = fc.record({
  epoch,
  logGroup: epoch,
  suite,
  groupInfo: bytes(),
})

/** Runs a decoder; anything but a value or the named error fails the test. */
function tryDecode(decode: (bytes: Uint8Array) => unknown, input: Uint8Array): unknown {
  try {
    return decode(input)
  } catch (error) {
    expect(error).toBeInstanceOf(DeliveryFormatError)
    return undefined
  }
}

function checkCodec<T>(
  values: fc.Arbitrary<T>,
  encode: (value: T) => Uint8Array,
  decode: (bytes: Uint8Array) => unknown,
): void {
  it('decodes to what was encoded', () => {
    fc.assert(
      fc.property(values, (value) => {
        expect(decode(encode(value))).toEqual(value)
      }),
    )
  })

  it('refuses a message cut short or with bytes left over', () => {
    fc.assert(
      fc.property(values, fc.nat(), (value, cut) => {
        const whole = encode(value)
        const short = whole.subarray(0, 1 + (cut % (whole.length - 1)))
        expect(() => decode(short)).toThrow(DeliveryFormatError)
        expect(() => decode(Uint8Array.of(...whole, 0))).toThrow(DeliveryFormatError)
      }),
    )
  })

  it('throws nothing but the named error on hostile bytes', () => {
    fc.assert(fc.property(fc.uint8Array(), (input) => void tryDecode(decode, input)))
  })

  it('throws nothing but the named error on a message with bytes changed', () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(values, changes, (value, edits) => {
        const input = encode(value).slice()
        for (const [at, byte] of edits) input[at % input.length] = byte
        tryDecode(decode, input)
      }),
    )
  })

  it('refuses another version', () => {
    fc.assert(
      fc.property(values, (value) => {
        const input = encode(value).slice()
        input[0] = 2
        expect(() => decode(input)).toThrow(/version 2/)
      }),
    )
  })
}

describe('submission', () => checkCodec(submission, encodeSubmission, decodeSubmission))
describe('log entry', () => checkCodec(entry, encodeLogEntry, decodeLogEntry))
describe('snapshot', () => checkCodec(snapshot, encodeSnapshot, decodeSnapshot))

describe('limits', () => {
  const limits = { commitBytes: 10, groupInfoBytes: 20 }
  const commit = (commitBytes: number, groupInfoBytes: number) =>
    encodeSubmission({
      kind: 'commit',
      commit: new Uint8Array(commitBytes),
      groupInfo: new Uint8Array(groupInfoBytes),
    })

  it('bound each field on its own', () => {
    expect(decodeSubmission(commit(10, 20), limits).kind).toBe('commit')
    expect(() => decodeSubmission(commit(11, 20), limits)).toThrow(/commit of 11 bytes, at most 10/)
    expect(() => decodeSubmission(commit(10, 21), limits)).toThrow(/group info of 21 bytes/)
  })

  it('refuse an empty field and an unknown suite', () => {
    expect(() => decodeSubmission(commit(0, 20), limits)).toThrow(/commit is empty/)
    const named = { kind: 'create', suite: 'x-wung' as SuiteName, groupInfo: Uint8Array.of(1) }
    expect(() => decodeSubmission(encodeSubmission(named as Submission))).toThrow(/unknown suite/)
  })

  it('refuse a participant id that is reserved, too long or not UTF-8', () => {
    for (const id of ['.mls', 'x'.repeat(129), '']) {
      const bad = encodeLogEntry({ kind: 'left', epoch: 1, participant: id })
      expect(() => decodeLogEntry(bad)).toThrow(DeliveryFormatError)
    }
    const broken = encodeLogEntry({ kind: 'left', epoch: 1, participant: 'ab' }).slice()
    broken[broken.length - 1] = 0xff
    expect(() => decodeLogEntry(broken)).toThrow(DeliveryFormatError)
  })
})

describe('reports of a skipped commit', () => {
  const hash = new Uint8Array(COMMIT_HASH_BYTES)
  const signature = new Uint8Array(64)
  const skipped = (leaves: readonly number[], undone: readonly Uint8Array[] = []) =>
    encodeLogEntry({
      kind: 'skipped',
      epoch: 3,
      participant: 'ann',
      commitHash: hash,
      transcript: hash,
      undone,
      reports: leaves.map((leaf) => ({ leaf, signature })),
    })

  it('name each leaf once, in order, and are bounded', () => {
    expect(decodeLogEntry(skipped([0, 2]))).toMatchObject({ reports: [{ leaf: 0 }, { leaf: 2 }] })
    expect(() => decodeLogEntry(skipped([2, 0]))).toThrow(/out of order/)
    expect(() => decodeLogEntry(skipped([1, 1]))).toThrow(/out of order/)
    const many = Array.from({ length: MAX_REPORTS + 1 }, (_, leaf) => leaf)
    expect(() => decodeLogEntry(skipped(many))).toThrow(/1025 reports/)
  })

  it('come with the commits that had been made on it, which are bounded too', () => {
    const undone = Array.from({ length: MAX_UNDONE }, (_, i) => hash.slice().fill(i))
    expect(decodeLogEntry(skipped([0], undone))).toMatchObject({ undone, transcript: hash })
    expect(() => decodeLogEntry(skipped([0], [...undone, hash]))).toThrow(/65 commits/)
    expect(() => decodeLogEntry(skipped([0], [hash.subarray(1)]))).toThrow(/31 bytes, not 32/)
  })

  it('name a commit by all of its hash', () => {
    const report = { kind: 'report' as const, epoch: 3, commitHash: hash.subarray(1), signature }
    expect(() => decodeSubmission(encodeSubmission(report))).toThrow(/31 bytes, not 32/)
  })
})

describe('a room without a group', () => {
  it('has an empty snapshot', () => {
    expect(encodeSnapshot(null)).toHaveLength(0)
    expect(decodeSnapshot(new Uint8Array(0))).toBeNull()
  })
})

describe('names', () => {
  it('are those of the design', () => {
    expect(formatTrack(logTrack('demo'))).toBe('sotto-demo-.2emls--log')
    expect(formatTrack(groupInfoTrack('demo'))).toBe('sotto-demo-.2emls--group.2dinfo')
    expect(formatTrack(submissionTrack('demo', 'ann'))).toBe('sotto-demo-ann--mls')
  })

  it('give the room back', () => {
    expect(parseDeliveryNamespace(deliveryNamespace('demo'))).toBe('demo')
    expect(parseDeliveryNamespace(namespaceOf('sotto', 'demo', 'ann'))).toBeNull()
    expect(parseDeliveryNamespace(namespaceOf('sotto', '.x', '.mls'))).toBeNull()
    expect(parseDeliveryNamespace(namespaceOf('sotto', '.mls'))).toBeNull()
  })
})
