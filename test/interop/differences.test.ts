/**
 * Where an independent library and the draft differ, and what the relay does then: the other half of
 * `moq/INTEROP.md`. A library that changes its mind fails here, so that the page is kept true.
 */

import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { connect } from '../../moq/node/index.ts'
import { drain, startInteropRelay } from './relay.ts'
import { arrives, group, Stage } from './stage.ts'

vi.setConfig({ testTimeout: 10_000 })

let stage: Stage

beforeAll(async () => {
  stage = await Stage.set()
})

afterEach(({ task }) => stage.clear(task.result?.state === 'fail'))

afterAll(() => stage?.strike())

describe('@moqt/webtransport', () => {
  it('takes draft-18 when it offers draft-16 too', async () => {
    const client = await stage.open('moqt', ['moqt-16', 'moqt-18'])
    expect(await client.connect(stage.relay)).toBe('moqt-18')
  })

  it('is refused when it offers draft-16 alone', async () => {
    const client = await stage.open('moqt', ['moqt-16'])
    await expect(client.connect(stage.relay)).rejects.toThrow(/WebTransport/)
    // A browser does not tell what the answer was; ours does.
    const { url, certificateHash: sha256 } = stage.relay
    const options = { versions: ['moqt-16'], trust: { kind: 'hash', sha256 } as const, handler: {} }
    await expect(connect(url, options)).rejects.toThrow(/400.*moqt-18/)
  })
})

describe('@moq/net', () => {
  it('cannot join a track with content: it reads a length before LARGEST_OBJECT (10.2)', async () => {
    const { track, publisher, subscriber } = await stage.pair('ours', 'ours')
    await publisher.sendGroup(track, 0, ['one'])
    await arrives(subscriber, track, group(0, 'one'))
    const late = await stage.connect('moq-net')
    await expect(late.subscribe(track)).rejects.toThrow(/subscribe error/)
  })

  it('tells of no LARGEST_OBJECT, and begins with its newest group (10.2.11)', async () => {
    const track = stage.freshTrack()
    const publisher = await stage.publisher('moq-net', track)
    await publisher.sendGroup(track, 0, ['one', 'two'])
    const subscriber = await stage.connect('ours')
    await subscriber.subscribe(track)
    expect(subscriber.accepted(track)?.largest).toBeNull()
    await arrives(subscriber, track, group(0, 'one', 'two'))
  })

  it('ends a track with a Stream Count of 0: what it sent arrives all the same (10.11)', async () => {
    const track = stage.freshTrack()
    const publisher = await stage.publisher('moq-net', track)
    const subscriber = await stage.connect('ours')
    await subscriber.subscribe(track)
    await publisher.wanted(track)
    await publisher.sendGroup(track, 0, ['one', 'two'])
    await publisher.end(track)
    await subscriber.ended(track)
    await arrives(subscriber, track, group(0, 'one', 'two'))
    expect(subscriber.session.closed).toBe(false)
  })

  it('refuses with code 404, which is none of the registry: the rest goes on (14)', async () => {
    const track = stage.freshTrack()
    const publisher = await stage.publisher('moq-net', track)
    const subscriber = await stage.connect('ours')
    const deeper = { namespace: [...track.namespace, 'deeper'], name: 'track' }
    await expect(subscriber.subscribe(deeper)).rejects.toThrow(/^refused: 0x0 Broadcast/)
    await subscriber.subscribe(track)
    await publisher.wanted(track)
    await publisher.sendGroup(track, 0, ['on'])
    await arrives(subscriber, track, group(0, 'on'))
  })

  it('answers every TRACK_STATUS with an empty REQUEST_OK (10.14)', async () => {
    const track = stage.freshTrack()
    await stage.publisher('moq-net', track)
    const client = await stage.connect('ours')
    expect(await client.trackStatus({ ...track, name: 'never made' })).toBeNull()
  })

  it('resets a FETCH that goes on to it: the relay refuses, and its track goes on', async () => {
    const track = stage.freshTrack()
    const publisher = await stage.publisher('moq-net', track)
    const client = await stage.connect('ours')
    const asked = client.fetch(track, { firstGroup: 0, lastGroup: 0 })
    await expect(asked).rejects.toThrow(/^refused: 0x0 /)
    await client.subscribe(track)
    await publisher.wanted(track)
    await publisher.sendGroup(track, 0, ['on'])
    await arrives(client, track, group(0, 'on'))
    // This one the relay answers by itself.
    expect(await client.fetch(track, { firstGroup: 0, lastGroup: 0 })).toEqual(group(0, 'on'))
  })

  it('cannot read a GOAWAY with a Request ID, and closes its session (10.4)', async () => {
    const relay = await startInteropRelay()
    try {
      const client = await stage.connect('moq-net', relay)
      const told = expect(client.goaway()).rejects.toThrow(/consumed too few bytes/)
      await drain(relay)
      await told
      expect(await relay.process.exited).toBe(0)
    } finally {
      await relay.process.stop()
    }
  })

  it('passes over datagrams, and takes the groups beside them', async () => {
    const { track, publisher, subscriber } = await stage.pair('ours', 'moq-net')
    await publisher.sendDatagram(track, 0, 0, 'lost')
    await publisher.sendGroup(track, 1, ['kept'])
    await arrives(subscriber, track, group(1, 'kept'))
  })

  it('does not send FETCH', async () => {
    const { track, subscriber } = await stage.pair('ours', 'moq-net')
    const asked = subscriber.fetch(track, { firstGroup: 0, lastGroup: 0 })
    await expect(asked).rejects.toThrow(/fetch/i)
  })
})
