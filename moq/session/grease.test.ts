import { describe, expect, it } from 'vitest'
import { SessionCode } from '../wire/codes.ts'
import { namespaceOf, trackOf } from '../wire/names.ts'
import { encodeProperties } from '../wire/properties.ts'
import { encodeSubgroupBody, encodeSubgroupHeader } from '../wire/subgroup.ts'
import { TestLink } from './test-pair.ts'

const TRACK = trackOf(namespaceOf('a'), 'b')

async function world() {
  const link = new TestLink()
  const closes: number[] = []
  const session = link.session('server', { onClosed: ({ code }) => closes.push(code) })
  const peer = link.raw('client')
  await link.settle()
  return { link, session, peer, closes }
}

describe('what is not known (section 14)', () => {
  it('is kept of tracks and objects', async () => {
    const { link, session, peer } = await world()
    const trackProperties = [
      { type: 0x9d, value: Uint8Array.of(5) },
      { type: 0x11c, value: 7 },
    ]
    const properties = encodeProperties(trackProperties)
    const seen: unknown[] = []
    session.subscribe(
      TRACK,
      {},
      {
        onAccepted: (accepted) => seen.push(accepted.properties),
        onObject: (object) => seen.push([...object.properties]),
      },
    )
    await link.settle()
    const ok = { type: 'SUBSCRIBE_OK', trackAlias: 7, parameters: {} } as const
    peer.requests[0]!.send({ ...ok, properties: trackProperties })
    const stream = peer.transport.openUni(1)!
    const header = { trackAlias: 7, group: 0, subgroup: 0, priority: null }
    stream.write(
      encodeSubgroupHeader({
        ...header,
        hasProperties: true,
        endOfGroup: false,
        firstObject: true,
      }),
    )
    stream.write(Uint8Array.of(0))
    stream.write(encodeSubgroupBody(properties, Uint8Array.of(1)))
    await link.settle()
    expect(seen).toEqual([trackProperties, [...properties]])
  })

  it('of codes ends a request or a stream as INTERNAL_ERROR would, and no session', async () => {
    const { link, session, peer } = await world()
    const rejected: number[] = []
    const handler = {
      onObject() {},
      onRejected: ({ code }: { code: number }) => rejected.push(code),
      onDone: ({ status }: { status: number }) => rejected.push(status),
    }
    session.subscribe(TRACK, {}, handler)
    session.subscribe(trackOf(namespaceOf('a'), 'c'), {}, handler)
    await link.settle()
    const [first, second] = peer.requests
    first!.send({ type: 'REQUEST_ERROR', code: 0x9d, retryAfterMs: null, reason: '' })
    const ok = { type: 'SUBSCRIBE_OK', trackAlias: 7, parameters: {}, properties: [] } as const
    second!.send(ok, { type: 'PUBLISH_DONE', status: 0x11c, streamCount: 0, reason: '' })
    await link.settle()
    expect(rejected).toEqual([0x9d, 0x11c])
    expect(session.closed).toBe(false)
  })

  it('as the code of a session is told to the owner', async () => {
    const { link, peer, closes } = await world()
    peer.transport.close(0x9d, '')
    await link.settle()
    expect(closes).toEqual([0x9d])
  })

  it('as the type of a stream, a datagram or a message ends the session (sections 3.4, 10, 11)', async () => {
    for (const say of ['stream', 'datagram', 'message'] as const) {
      const { link, peer } = await world()
      if (say === 'stream') peer.transport.openUni(1)!.write(Uint8Array.of(0x80, 0x9d))
      else if (say === 'datagram') peer.transport.sendDatagram(Uint8Array.of(0x80, 0x9d))
      else peer.transport.openBidi(1)!.send.write(Uint8Array.of(0x80, 0x9d, 0, 0))
      await link.settle()
      expect(peer.closed?.code).toBe(SessionCode.PROTOCOL_VIOLATION)
    }
  })
})
