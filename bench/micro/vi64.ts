import { readVi64, writeVi64 } from '../../moq/wire/vi64.ts'
import type { Case, Subject } from './subject.ts'

const OPERATIONS = 1000

/** The largest value of each size that this endpoint counts with as a number. */
const VALUES: readonly (readonly [bytes: number, value: number])[] = [
  [1, 0x7f],
  [2, 0x3fff],
  [3, 0x1f_ffff],
  [4, 0xfff_ffff],
  [5, 0x7_ffff_ffff],
  [8, Number.MAX_SAFE_INTEGER],
]

/** The variable-length integer of draft-18 section 1.4.1; every header is made of them. */
export const vi64: Subject = {
  name: 'vi64',
  about: 'one variable-length integer',
  cases: () => VALUES.flatMap(([bytes, value]) => casesOf(bytes, value)),
}

function casesOf(bytes: number, value: number): Case[] {
  const target = new Uint8Array(bytes * OPERATIONS)
  for (let at = 0; at < target.length; ) at = writeVi64(target, at, value)
  return [
    {
      name: `encode ${bytes} B`,
      operations: OPERATIONS,
      run() {
        let at = 0
        for (let i = 0; i < OPERATIONS; i++) at = writeVi64(target, at, value)
        return at
      },
    },
    {
      name: `decode ${bytes} B`,
      operations: OPERATIONS,
      run() {
        let sum = 0
        for (let i = 0; i < OPERATIONS; i++) sum += Number(readVi64(target, i * bytes))
        return sum
      },
    },
  ]
}
