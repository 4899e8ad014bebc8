import { describe, expect, it, vi } from 'vitest'
import { type PcmChunk, PcmSender } from './pcm.ts'

function setUp() {
  const port = {
    postMessage: vi.fn(),
    onmessage: null as ((event: { data: number }) => void) | null,
    close: vi.fn(),
  }
  // Of a MessagePort the sender uses these three members.
  return { port, sender: new PcmSender(port as unknown as MessagePort) }
}
const chunk = (): PcmChunk => ({
  timestamp: 0,
  sampleRate: 48_000,
  channels: [new Float32Array(4)],
})

describe('PcmSender', () => {
  it('hands the memory of the samples over', () => {
    const { port, sender } = setUp()
    const sent = chunk()
    sender.send(sent)
    expect(port.postMessage).toHaveBeenCalledWith(sent, [sent.channels[0]!.buffer])
  })

  it('drops what a sleeping worklet does not take, and goes on when it wakes', () => {
    const { port, sender } = setUp()
    for (let i = 0; i < 100; i++) sender.send(chunk())
    expect(sender.counters).toEqual({ sent: 25, dropped: 75 })
    port.onmessage!({ data: 1 })
    sender.send(chunk())
    sender.send(chunk())
    expect(sender.counters).toEqual({ sent: 26, dropped: 76 })
  })
})
