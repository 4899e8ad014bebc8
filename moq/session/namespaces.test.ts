import { describe, expect, it } from 'vitest'
import { createTransportPair } from '../transport/memory.ts'
import type { BidiStream } from '../transport/transport.ts'
import { ResetCode } from '../wire/codes.ts'
import { namespaceOf } from '../wire/names.ts'
import { codecFor } from '../wire/versions.ts'
import { DEFAULT_LIMITS } from './limits.ts'
import { ManualClock } from './manual-clock.ts'
import { IncomingNamespaceSubscription } from './namespaces.ts'
import type { RequestHost } from './request-host.ts'
import { RequestStream } from './request-stream.ts'

/** A stream whose peer reads nothing. */
function unread() {
  const resets: number[] = []
  const stream: BidiStream & { readonly send: { buffered: number } } = {
    send: {
      handler: null,
      buffered: 0,
      write(bytes) {
        this.buffered += bytes.length
      },
      finish() {},
      reset: (code) => resets.push(code),
      setOrder() {},
    },
    receive: { handler: null, pause() {}, resume() {}, stop() {} },
  }
  return { stream, resets }
}

describe('a peer that asks for namespaces and does not read them', () => {
  it('is reset once too much waits, and costs nothing any more (section 10.18)', () => {
    const { stream, resets } = unread()
    const request = new RequestStream(stream, codecFor('moqt-18'), (task) => task())
    const over: unknown[] = []
    const limits: string[] = []
    let cancelled = 0
    const host: RequestHost = {
      transport: createTransportPair().server,
      clock: new ManualClock(),
      limits: { ...DEFAULT_LIMITS, maxUnreadRequestBytes: 10_000 },
      nextRequestId: () => 1,
      limitHit: (limit) => limits.push(limit),
      hasSpare: true,
      spend() {},
      requestOpened() {},
      requestOver: (ended) => over.push(ended),
      admitUpdate() {},
    }
    const subscription = new IncomingNamespaceSubscription(
      { type: 'SUBSCRIBE_NAMESPACE', requestId: 0, prefix: namespaceOf('sotto'), parameters: {} },
      request,
      host,
    )
    subscription.onCancelled = () => cancelled++
    subscription.accept()
    for (let i = 0; i < 5000; i++) subscription.namespace(namespaceOf('sotto', `room ${i}`))
    expect(resets).toEqual([ResetCode.EXCESSIVE_LOAD])
    expect(cancelled).toBe(1)
    expect(limits).toEqual(['maxUnreadRequestBytes'])
    expect(over).toEqual([subscription])
    expect(stream.send.buffered).toBeLessThan(10_100)
  })
})
