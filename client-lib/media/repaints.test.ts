import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Repaints } from './repaints.ts'

let frames: (() => void)[]
beforeEach(() => {
  vi.useFakeTimers()
  frames = []
  vi.stubGlobal('requestAnimationFrame', (task: () => void) => frames.push(task))
  vi.stubGlobal('cancelAnimationFrame', (number: number) => {
    frames[number - 1] = () => {}
  })
})
afterEach(() => {
  vi.unstubAllGlobals()
  vi.useRealTimers()
})

const repaint = () => {
  for (const task of frames.splice(0)) task()
}

it('asks for one repaint for all, calls each once, and asks again only when told to', () => {
  const repaints = new Repaints()
  const [one, two] = [vi.fn(), vi.fn(() => repaints.next(one))]
  repaints.next(one)
  repaints.next(one)
  repaints.next(two)
  expect(frames).toHaveLength(1)
  repaint()
  expect([one.mock.calls.length, two.mock.calls.length]).toEqual([1, 1])
  repaint()
  repaint()
  expect(one).toHaveBeenCalledTimes(2)
  expect(frames).toHaveLength(0)
})

it('calls nobody who has cancelled', () => {
  const repaints = new Repaints()
  const task = vi.fn()
  repaints.next(task)
  repaints.cancel(task)
  repaint()
  expect(task).not.toHaveBeenCalled()
})

it('waits by a timer while the page is hidden, and changes over with what waits', () => {
  const repaints = new Repaints(true)
  const task = vi.fn(() => repaints.next(task))
  repaints.next(task)
  expect(frames).toHaveLength(0)
  vi.advanceTimersByTime(1000)
  expect(task).toHaveBeenCalledTimes(4)
  repaints.hidden = false
  vi.advanceTimersByTime(1000)
  expect(task).toHaveBeenCalledTimes(4)
  repaint()
  expect(task).toHaveBeenCalledTimes(5)
  repaints.hidden = true
  repaint()
  expect(task).toHaveBeenCalledTimes(5)
  vi.advanceTimersByTime(250)
  expect(task).toHaveBeenCalledTimes(6)
})
