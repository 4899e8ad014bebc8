import { describe, expect, it } from 'vitest'
import { RequestCode } from '../../moq/wire/codes.ts'
import type { Goaway, RequestError } from '../../moq/wire/messages.ts'
import { namespaceOf, textOf, trackOf } from '../../moq/wire/names.ts'
import type { Place } from './placed-host.ts'
import { ManualPublisher, ManualSubscriber } from './test-peers.ts'
import { RelayWorld } from './test-world.ts'

const UNUSED = { onNamespace: () => {}, onNamespaceDone: () => {} }
const URI = 'https://two.example/'
const here = namespaceOf('sotto', 'here', 'ann')
const there = namespaceOf('sotto', 'there', 'ann')
const NAMES: Record<string, Place> = {
  here: { kind: 'here' },
  there: { kind: 'elsewhere', uri: URI },
  unknown: { kind: 'elsewhere', uri: null },
}

function makeWorld(): RelayWorld {
  return new RelayWorld({
    placement: {
      placeOf: ([, room]) => (room && NAMES[textOf(room) ?? '']) ?? { kind: 'everywhere' },
    },
  })
}

/** The same names elsewhere. */
const REDIRECT = {
  code: RequestCode.REDIRECT,
  retryAfterMs: null,
  redirect: { connectUri: URI, track: { namespace: [], name: new Uint8Array() } },
}

describe('a relay that has some of the rooms', () => {
  it('serves those as if they were all', async () => {
    const world = makeWorld()
    const publisher = new ManualPublisher(world, here)
    const subscriber = new ManualSubscriber(world)
    const audio = trackOf(here, 'audio')
    publisher.willServe(audio)
    await world.settle()
    const seen = subscriber.subscribe(audio)
    await world.settle()
    expect(seen.accepted).not.toBeNull()
    expect(world.relay.subscriptionCount).toBe(1)
  })

  it('says where another room is to whoever asks for something of it', async () => {
    const world = makeWorld()
    const refused: RequestError[] = []
    const onRejected = (error: RequestError | null) => void refused.push(error!)
    const session = world.client({})
    const track = trackOf(there, 'audio')
    const from = { group: 0, object: 0 }
    await world.settle()
    session.subscribe(track, {}, { onRejected, onObject: () => {} })
    session.publishNamespace(there, { onRejected })
    session.subscribeNamespace(namespaceOf('sotto', 'there'), { ...UNUSED, onRejected })
    session.trackStatus(track, { onRejected, onStatus: () => {} })
    session.fetch(
      { kind: 'standalone', track, start: from, end: { group: 1, object: 0 } },
      { onRejected, onObject: () => {} },
    )
    await world.settle()
    expect(refused).toHaveLength(5)
    for (const error of refused) expect(error).toMatchObject(REDIRECT)
    expect(session.closed).toBe(false)
    expect([world.relay.trackCount, world.relay.publishedNamespaces()]).toEqual([0, []])
  })

  it('asks by GOAWAY on the request where a redirect is no answer (sections 10.4, 10.6)', async () => {
    const world = makeWorld()
    const goaways: Goaway[] = []
    const refused: RequestError[] = []
    const handler = {
      onGoaway: (goaway: Goaway) => void goaways.push(goaway),
      onRejected: (error: RequestError) => void refused.push(error),
    }
    const session = world.client({})
    await world.settle()
    session.publish(trackOf(there, 'audio'), { trackAlias: 1, largest: null }, handler)
    session.subscribeTracks(namespaceOf('sotto', 'there'), handler)
    await world.settle()
    expect(goaways.map(({ newSessionUri }) => newSessionUri)).toEqual([URI, URI])
    expect(refused.map(({ code }) => code)).toEqual([
      RequestCode.GOING_AWAY,
      RequestCode.GOING_AWAY,
    ])
    expect(session.closed).toBe(false)
    expect(world.relay.trackCount).toBe(0)
  })

  it('refuses what is spread over all, and what is where it does not know yet', async () => {
    const world = makeWorld()
    const refused: RequestError[] = []
    const handler = { onRejected: (error: RequestError) => void refused.push(error) }
    const session = world.client({})
    await world.settle()
    session.subscribeNamespace(namespaceOf('sotto'), { ...UNUSED, ...handler })
    session.subscribeTracks(namespaceOf('sotto'), handler)
    session.publishNamespace(namespaceOf('sotto', 'unknown', 'ann'), handler)
    session.publish(
      trackOf(namespaceOf('sotto', 'unknown'), 'x'),
      { trackAlias: 1, largest: null },
      handler,
    )
    await world.settle()
    const { NOT_SUPPORTED, EXCESSIVE_LOAD } = RequestCode
    expect(refused.map(({ code, retryAfterMs }) => [code, retryAfterMs])).toEqual([
      [NOT_SUPPORTED, null],
      [NOT_SUPPORTED, null],
      [EXCESSIVE_LOAD, 500],
      [EXCESSIVE_LOAD, 500],
    ])
    expect(session.closed).toBe(false)
  })

  it('lets its own services ask for all of them', async () => {
    const world = makeWorld()
    let accepted = 0
    const service = world.client({}, true)
    await world.settle()
    service.subscribeNamespace(namespaceOf('sotto'), {
      ...UNUSED,
      onAccepted: () => void accepted++,
    })
    await world.settle()
    expect(accepted).toBe(1)
  })
})
