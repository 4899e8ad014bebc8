import { describe, expect, it, vi } from 'vitest'
import { FrameSender, framesFrom } from './frame-port.ts'

/** Two ports as structured cloning would join them, but for frames, which stay what they are. */
function ports() {
  const make = () => ({
    onmessage: null as ((event: { data: unknown }) => void) | null,
    closed: false,
    peer: null as unknown as { onmessage: unknown; closed: boolean },
    postMessage(data: unknown) {
      const { peer } = this as unknown as { peer: ReturnType<typeof make> }
      queueMicrotask(() => {
        if (!peer.closed) peer.onmessage?.({ data })
      })
    },
    close() {
      // What was sent before is still delivered.
      queueMicrotask(() => {
        this.closed = true
      })
    },
  })
  const page = make()
  const worker = make()
  page.peer = worker
  worker.peer = page
  return { page, worker }
}

let number = 0
function frame() {
  return { number: number++, close: vi.fn() }
}
type Frame = ReturnType<typeof frame>

async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve()
}

function world() {
  const { page, worker } = ports()
  const onEnd = vi.fn()
  const sender = new FrameSender(page as unknown as MessagePort, onEnd)
  const stream = framesFrom(worker as unknown as MessagePort)
  const push = (one: Frame) => sender.push(one as unknown as VideoFrame)
  return { sender, stream, push, onEnd, page, worker }
}

describe('frames from the page to the worker', () => {
  it('come when they are asked for, the newest in place of those that waited', async () => {
    const { stream, push, sender } = world()
    const reader = stream.getReader()
    const [a, b, c] = [frame(), frame(), frame()]
    push(a)
    await settle()
    push(b)
    push(c)
    const { value } = await reader.read()
    expect(value).toBe(c)
    expect(a.close).toHaveBeenCalledOnce()
    expect(b.close).toHaveBeenCalledOnce()
    expect(c.close).not.toHaveBeenCalled()
    expect(sender.counters).toEqual({ sent: 1, skipped: 2 })
  })

  it('go one at a time, however long the worker takes', async () => {
    const { stream, push, sender } = world()
    const reader = stream.getReader()
    const reads = [reader.read(), reader.read()]
    await settle()
    push(frame())
    push(frame())
    push(frame())
    await Promise.all(reads.slice(0, 1))
    expect(sender.counters.sent).toBeLessThanOrEqual(2)
    await settle()
    expect(sender.counters).toEqual({ sent: 2, skipped: 1 })
  })

  it('end with the page, which closes what waits', async () => {
    const { stream, push, sender, worker } = world()
    const reader = stream.getReader()
    const waiting = frame()
    push(waiting)
    sender.close()
    expect((await reader.read()).done).toBe(true)
    expect(waiting.close).toHaveBeenCalledOnce()
    const late = frame()
    push(late)
    expect(late.close).toHaveBeenCalledOnce()
    await settle()
    expect(worker.closed).toBe(true)
  })

  it('end with the worker, which closes what is on its way', async () => {
    const { stream, push, onEnd, page, worker } = world()
    const reader = stream.getReader()
    const read = reader.read()
    await settle()
    const onItsWay = frame()
    push(onItsWay)
    await reader.cancel()
    await read
    await settle()
    expect(onItsWay.close).toHaveBeenCalledOnce()
    expect(onEnd).toHaveBeenCalledOnce()
    expect([page.closed, worker.closed]).toEqual([true, true])
  })
})
