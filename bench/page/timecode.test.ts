import fc from 'fast-check'
import { expect, it } from 'vitest'
import { makeTimecode } from './timecode.ts'

const { fieldsOf, timeOf, ageOf, periodMs, columns, rows } = makeTimecode()

it('a time in fields is read again, but for its high bits', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), (ms) => {
      const fields = fieldsOf(ms)
      expect(fields).toHaveLength(columns * rows)
      expect(timeOf(fields)).toBe(ms % periodMs)
    }),
  )
})

it('a field that was misread, and a picture of nothing, are no time', () => {
  const fields = fieldsOf(1_234_567)
  for (const at of fields.keys()) {
    expect(timeOf(fields.map((white, i) => white !== (i === at)))).toBeNull()
  }
  expect(timeOf(fields.map(() => false))).toBeNull()
  expect(timeOf(fields.map(() => true))).toBeNull()
  expect(timeOf([true])).toBeNull()
})

it('the age of a time goes on over the end of the period', () => {
  expect(ageOf(periodMs - 5, 2 * periodMs + 20)).toBe(25)
  expect(ageOf(100, 150)).toBe(50)
})

it('means the same where it was handed over as text', () => {
  const there = new Function(`return (${makeTimecode})()`)()
  expect(there.timeOf(fieldsOf(987_654))).toBe(987_654)
})
