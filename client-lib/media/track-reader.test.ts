import { describe, expect, it, vi } from 'vitest'
import { readTrack } from './track-reader.ts'

const frame = () => ({ close: vi.fn() })
type Frame = ReturnType<typeof frame>

function streamOf(frames: readonly Frame[]): ReadableStream<Frame> {
  return new ReadableStream<Frame>({
    start(controller) {
      for (const f of frames) controller.enqueue(f)
      controller.close()
    },
  })
}

describe('readTrack', () => {
  it('hands every frame over until the stream ends', async () => {
    const frames = [frame(), frame()]
    const seen: unknown[] = []
    await readTrack(streamOf(frames), (f) => seen.push(f), new AbortController().signal)
    expect(seen).toEqual(frames)
    expect(frames[0]!.close).not.toHaveBeenCalled()
  })

  it('cancels the stream on abort', async () => {
    const cancelled = vi.fn()
    const abort = new AbortController()
    const endless = new ReadableStream({
      pull: (controller) => controller.enqueue(frame()),
      cancel: cancelled,
    })
    await readTrack(endless, () => abort.abort(), abort.signal)
    expect(cancelled).toHaveBeenCalledOnce()
  })

  it('reads nothing when aborted before', async () => {
    const seen = vi.fn()
    await readTrack(streamOf([frame()]), seen, AbortSignal.abort())
    expect(seen).not.toHaveBeenCalled()
  })

  it('rejects when the stream fails', async () => {
    const failing = new ReadableStream<Frame>({
      pull: (controller) => controller.error(new Error('unplugged')),
    })
    await expect(readTrack(failing, () => {}, new AbortController().signal)).rejects.toThrow(
      'unplugged',
    )
  })
})
