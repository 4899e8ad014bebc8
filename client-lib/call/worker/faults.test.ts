import { expect, it } from 'vitest'
import { Faults } from './faults.ts'

it('a fault that comes with every object is told of seldom, each thing by itself, with its cause', () => {
  let now = 0
  const told: Error[] = []
  const faults = new Faults(
    () => now,
    (error) => told.push(error as Error),
  )
  const cause = new Error('no frame')
  for (; now < 25_000; now += 20) faults.tell('eve/video', cause)
  expect(told).toHaveLength(3)
  expect(told[0]!.message).toBe('eve/video: no frame')
  expect(told[0]!.cause).toBe(cause)
  faults.tell('bob/video', 'a word')
  expect(told[3]!.message).toBe('bob/video: a word')
  // However many there are, memory is bounded: the longest untold is told again.
  for (let i = 0; i < 1000; i++) faults.tell(`p${i}`, cause)
  expect(told).toHaveLength(1004)
  faults.tell('p999', cause)
  expect(told).toHaveLength(1004)
  faults.tell('p0', cause)
  expect(told).toHaveLength(1005)
})
