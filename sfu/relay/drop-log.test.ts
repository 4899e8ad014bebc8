import { expect, it } from 'vitest'
import { DropLog } from './drop-log.ts'

it('a log of drops puts what has the same reason together, and remembers the last eight', () => {
  const log = new DropLog()
  for (let at = 0; at < 3; at++) log.note('base', at)
  log.note('deadline', 7)
  expect(log.dump()).toEqual([
    { reason: 'base', since: 0, until: 2, objects: 3 },
    { reason: 'deadline', since: 7, until: 7, objects: 1 },
  ])
  for (let at = 10; at < 20; at++) log.note(`reason ${at}`, at)
  expect(log.dump().map(({ since }) => since)).toEqual([12, 13, 14, 15, 16, 17, 18, 19])
})
