import { describe, expect, it } from 'vitest'
import { RequestCode, ResetCode, SessionCode } from '../wire/codes.ts'
import type { ControlMessage } from '../wire/messages.ts'
import { formatNamespace, formatTrack, namespaceOf, trackOf } from '../wire/names.ts'
import type {
  IncomingNamespacePublication,
  IncomingNamespaceSubscription,
  NamespaceSubscription,
} from './namespaces.ts'
import { TestLink } from './test-pair.ts'
import type { IncomingTracksSubscription } from './tracks-subscription.ts'

const ROOM = namespaceOf('room')
const OTHER_ROOM = namespaceOf('other')
const OVERLAP = { code: RequestCode.PREFIX_OVERLAP, reason: 'overlap', retryAfterMs: null }

async function tracks(parameters = {}) {
  const link = new TestLink()
  const requests: IncomingTracksSubscription[] = []
  const told: string[] = []
  const server = link.session('server', { onSubscribeTracks: (request) => requests.push(request) })
  const client = link.session('client', {})
  await link.settle()
  const subscription = client.subscribeTracks(
    ROOM,
    {
      onAccepted: () => told.push('accepted'),
      onRejected: ({ code }) => told.push(`rejected ${code}`),
      onBlocked: (track) => told.push(`blocked ${formatTrack(track)}`),
      onDone: () => told.push('done'),
    },
    parameters,
  )
  await link.settle()
  return { link, server, client, subscription, request: requests[0]!, told }
}

describe('SUBSCRIBE_TRACKS (draft-18 sections 6.1 and 10.19)', () => {
  it('says what Forward State the offers have', async () => {
    expect((await tracks()).request.forward).toBe(true)
    expect((await tracks({ forward: false })).request.forward).toBe(false)
  })

  it('is told of a track for which there is no stream once it is accepted, with its whole name (10.20)', async () => {
    const { link, request, told } = await tracks()
    const track = trackOf(namespaceOf('room', 'ann'), 'audio')
    request.blocked(track)
    request.accept()
    request.blocked(track)
    await link.settle()
    expect(told).toEqual(['accepted', 'blocked room-ann--audio'])
  })

  it('changes its prefix, which what follows is relative to (10.9.2)', async () => {
    const { link, request, subscription, told } = await tracks()
    request.accept()
    request.onPrefix = () => null
    request.onPrefixChanged = () => {
      request.blocked(trackOf(namespaceOf('other', 'bob'), 'video'))
    }
    await link.settle()
    const results: unknown[] = []
    subscription.update({ namespacePrefix: OTHER_ROOM, forward: false }, (error) =>
      results.push(error),
    )
    await link.settle()
    expect(results).toEqual([null])
    expect(formatNamespace(subscription.prefix)).toBe('other')
    expect(formatNamespace(request.prefix)).toBe('other')
    expect(request.forward).toBe(false)
    expect(told).toEqual(['accepted', 'blocked other-bob--video'])
  })

  it('has updates wait for the answer to it', async () => {
    const link = new TestLink()
    const requests: IncomingTracksSubscription[] = []
    link.session('server', { onSubscribeTracks: (request) => requests.push(request) })
    const peer = link.raw('client')
    await link.settle()
    const request = peer.request(
      { type: 'SUBSCRIBE_TRACKS', requestId: 0, prefix: ROOM, parameters: {} },
      { type: 'REQUEST_UPDATE', requestId: 2, parameters: { forward: false } },
    )
    await link.settle()
    expect(request.received).toEqual([])
    requests[0]!.accept()
    await link.settle()
    expect(request.types).toEqual(['REQUEST_OK', 'REQUEST_OK'])
    expect(requests[0]!.forward).toBe(false)
  })

  it('is closed by an update that fails (10.9.1)', async () => {
    const { link, request, subscription, told, server, client } = await tracks()
    let cancelled = 0
    request.onCancelled = () => cancelled++
    request.accept()
    request.onPrefix = () => OVERLAP
    await link.settle()
    const results: (number | undefined)[] = []
    subscription.update({ namespacePrefix: OTHER_ROOM }, (error) => results.push(error?.code))
    await link.settle()
    expect(results).toEqual([RequestCode.PREFIX_OVERLAP])
    expect(told).toEqual(['accepted', 'done'])
    expect([request.over, subscription.over, cancelled]).toEqual([true, true, 1])
    expect([server.openRequests, client.openRequests]).toEqual([0, 0])
  })

  it('ends by a cancellation of either side, or with the session', async () => {
    const ours = await tracks()
    let cancelled = 0
    ours.request.onCancelled = () => cancelled++
    ours.request.accept()
    ours.subscription.cancel()
    await ours.link.settle()
    expect([ours.told, cancelled]).toEqual([[], 1])

    const theirs = await tracks()
    theirs.request.accept()
    theirs.request.cancel(ResetCode.GOING_AWAY)
    await theirs.link.settle()
    expect(theirs.told).toEqual(['done'])

    const rejected = await tracks()
    rejected.request.reject(RequestCode.NAMESPACE_TOO_LARGE, 'large')
    rejected.client.close(SessionCode.NO_ERROR, 'bye')
    await rejected.link.settle()
    expect(rejected.told).toEqual(['done'])
  })

  it('begins with REQUEST_OK or REQUEST_ERROR, and says nothing but PUBLISH_BLOCKED behind', async () => {
    const blocked: ControlMessage = { type: 'PUBLISH_BLOCKED', track: trackOf([], 'x') }
    const ok: ControlMessage = { type: 'REQUEST_OK', parameters: {}, properties: [] }
    const namespace: ControlMessage = { type: 'NAMESPACE', suffix: namespaceOf('ann') }
    for (const said of [[blocked], [ok, ok], [ok, namespace]]) {
      const link = new TestLink()
      const session = link.session('client', {})
      const peer = link.raw('server')
      await link.settle()
      session.subscribeTracks(ROOM, {})
      await link.settle()
      peer.requests[0]!.send(...said)
      await link.settle()
      expect(peer.closed?.code).toBe(SessionCode.PROTOCOL_VIOLATION)
    }
  })
})

describe('SUBSCRIBE_NAMESPACE (draft-18 section 10.18)', () => {
  async function namespaces() {
    const link = new TestLink()
    const requests: IncomingNamespaceSubscription[] = []
    const known = new Set<string>()
    link.session('server', { onSubscribeNamespace: (request) => requests.push(request) })
    const client = link.session('client', {})
    await link.settle()
    const subscription: NamespaceSubscription = client.subscribeNamespace(ROOM, {
      onNamespace: (namespace) => known.add(formatNamespace(namespace)),
      onNamespaceDone: (namespace) => known.delete(formatNamespace(namespace)),
    })
    await link.settle()
    return { link, request: requests[0]!, subscription, known }
  }

  it('forgets what another prefix does not cover, and keeps what it does (10.9.2)', async () => {
    const { link, request, subscription, known } = await namespaces()
    request.onPrefix = () => null
    request.onPrefixChanged = () => request.namespace(namespaceOf('room', 'a', 'new'))
    request.accept()
    request.namespace(namespaceOf('room', 'a', 'x'))
    request.namespace(namespaceOf('room', 'b', 'y'))
    await link.settle()
    subscription.update({ namespacePrefix: namespaceOf('room', 'a') })
    await link.settle()
    expect([...known]).toEqual(['room-a-x', 'room-a-new'])
    request.namespaceDone(namespaceOf('room', 'b', 'y'))
    request.namespaceDone(namespaceOf('room', 'a', 'x'))
    await link.settle()
    expect([...known]).toEqual(['room-a-new'])
  })

  it('keeps its prefix where the owner changes none', async () => {
    const { link, request, subscription } = await namespaces()
    request.accept()
    await link.settle()
    const results: (number | undefined)[] = []
    subscription.update({ namespacePrefix: OTHER_ROOM }, (error) => results.push(error?.code))
    await link.settle()
    expect(results).toEqual([RequestCode.NOT_SUPPORTED])
    expect(formatNamespace(subscription.prefix)).toBe('room')
  })
})

describe('PUBLISH_NAMESPACE (draft-18 section 6.2)', () => {
  async function announced() {
    const link = new TestLink()
    const requests: IncomingNamespacePublication[] = []
    link.session('server', { onPublishNamespace: (request) => requests.push(request) })
    const peer = link.raw('client')
    await link.settle()
    const request = peer.request({
      type: 'PUBLISH_NAMESPACE',
      requestId: 0,
      namespace: ROOM,
      parameters: {},
    })
    await link.settle()
    let withdrawn = 0
    requests[0]!.onWithdrawn = () => withdrawn++
    requests[0]!.accept()
    return { link, peer, request, incoming: requests[0]!, withdrawn: () => withdrawn }
  }

  it('is not withdrawn by a FIN, but by a cancellation', async () => {
    const { link, request, withdrawn } = await announced()
    request.finish()
    await link.settle()
    expect(withdrawn()).toBe(0)
    request.reset(ResetCode.CANCELLED)
    await link.settle()
    expect(withdrawn()).toBe(1)
  })

  it('cannot be updated with what belongs to a subscription (10.2)', async () => {
    const { link, peer, request } = await announced()
    request.send({ type: 'REQUEST_UPDATE', requestId: 2, parameters: { forward: true } })
    await link.settle()
    expect(peer.closed?.code).toBe(SessionCode.PROTOCOL_VIOLATION)
  })

  it('is told of a redirect as it came, and of none with a track name (10.6.1)', async () => {
    for (const [name, code] of [
      ['', undefined],
      ['audio', SessionCode.PROTOCOL_VIOLATION],
    ] as const) {
      const link = new TestLink()
      const redirects: unknown[] = []
      const session = link.session('client', {})
      const peer = link.raw('server')
      await link.settle()
      session.publishNamespace(ROOM, { onRejected: ({ redirect }) => redirects.push(redirect) })
      await link.settle()
      const redirect = { connectUri: 'moqt://b.example', track: trackOf(OTHER_ROOM, name) }
      peer.requests[0]!.send({
        type: 'REQUEST_ERROR',
        code: RequestCode.REDIRECT,
        retryAfterMs: null,
        reason: '',
        redirect,
      })
      await link.settle()
      expect(peer.closed?.code).toBe(code)
      expect(redirects).toEqual(code === undefined ? [redirect] : [])
    }
  })
})
