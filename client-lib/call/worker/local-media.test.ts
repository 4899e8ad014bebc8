/** What we publish, as another member of the room finds it: over sessions in memory, with fake codecs. */

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  type Catalog,
  decodeCatalog,
  immutableOf,
  ObjectMetadata,
  participantNamespace,
} from '../../../moq/media/index.ts'
import { TestLink } from '../../../moq/session/test-pair.ts'
import { RequestCode } from '../../../moq/wire/codes.ts'
import { trackOf } from '../../../moq/wire/names.ts'
import type { MoqObject } from '../../../moq/wire/object.ts'
import { nobleProvider } from '../../../sframe/index.ts'
import type { EpochKeys } from '../../keys/index.ts'
import type { CodecSupport } from '../../media/codec-support.ts'
import type { VideoCodecName } from '../../media/codecs.ts'
import { FakeCodec, stubCodecs } from '../../media/fake-codecs.ts'
import { LocalMedia } from './local-media.ts'
import { MediaKeys } from './media-keys.ts'

const NAMESPACE = participantNamespace('room', 'ann')
const nameOf = (track: string) => trackOf(NAMESPACE, track)

beforeEach(stubCodecs)
afterEach(() => vi.unstubAllGlobals())

async function world(options: { videoCodecs?: readonly VideoCodecName[] } = {}) {
  const link = new TestLink()
  const errors: string[] = []
  const withdrawn: string[] = []
  const keys: MediaKeys = new MediaKeys(
    link.clock,
    {
      onInstalled: () => {},
      onRevoked: () => media.revokeKeys(),
      onSwitch: () => void media.renewKeys(),
    },
    nobleProvider,
  )
  const ear = new MediaKeys(
    link.clock,
    { onInstalled: () => {}, onRevoked: () => {}, onSwitch: () => {} },
    nobleProvider,
  )
  const media = new LocalMedia({
    namespace: NAMESPACE,
    displayName: 'Ann',
    keys,
    renditions: {},
    ...options,
    clock: link.clock,
    wallClock: () => 1_700_000_000_000 + link.clock.now(),
    maxDatagramSize: () => 1200,
    onMediaError: (error) => errors.push(error.message),
    onWithdrawn: (track) => withdrawn.push(track),
    onCaptureFailed: (_device, error) => errors.push(String(error)),
    onBug: (error) => errors.push(String(error)),
  })
  link.session('server', {
    onSubscribe: (request) => {
      if (!media.accept(request)) request.reject(RequestCode.DOES_NOT_EXIST, 'no such track')
    },
  })
  const client = link.session('client', {})
  const settle = async () => {
    for (let i = 0; i < 30; i++) await link.settle()
  }
  const epoch: EpochKeys = {
    groupId: Uint8Array.of(1),
    epoch: 1,
    suite: 'classical',
    // Each test has its keys to itself: a KID of a base key is given out once.
    baseKey: Uint8Array.from({ length: 32 }, () => Math.random() * 256),
    epochAuthenticator: new Uint8Array(32),
    verificationCode: '',
    leaf: 0,
    roster: [{ leaf: 0, participantId: 'ann', fingerprint: 'a', since: { epoch: 0, time: 0 } }],
    removed: [],
    reason: 'updated',
  }
  await ear.install({ ...epoch, baseKey: epoch.baseKey.slice(), leaf: 2 })
  await keys.install(epoch)
  await settle()

  const catalogs: MoqObject[] = []
  client.subscribe(nameOf('catalog'), {}, { onObject: (object) => catalogs.push(object) })
  await settle()
  /** The newest, as a member of the room reads it. */
  const catalog = async (): Promise<Catalog> => {
    const { group, object, properties, payload } = catalogs.at(-1)!
    const aad = new ObjectMetadata(nameOf('catalog')).of(group, object, immutableOf(properties))
    return decodeCatalog(await ear.receiver.decrypt(payload, aad, 'ann'))
  }
  const subscribe = async (track: string) => {
    const answer = { accepted: false, rejected: null as number | null }
    client.subscribe(
      nameOf(track),
      {},
      {
        onObject: () => {},
        onAccepted: () => {
          answer.accepted = true
        },
        onRejected: ({ code }) => {
          answer.rejected = code
        },
      },
    )
    await settle()
    return answer
  }
  let camera!: ReadableStreamDefaultController<VideoFrame>
  const plug = async (width: number, height: number) => {
    const frames = new ReadableStream<VideoFrame>({
      start: (controller) => {
        camera = controller
      },
    })
    await media.captureVideo({ frames, format: { width, height, framerate: 30 } })
    await settle()
  }
  const film = async (count: number) => {
    for (let i = 0; i < count; i++) {
      link.clock.advance(100)
      const size = { displayWidth: 1280, displayHeight: 720 }
      const frame = { ...size, timestamp: i, clone: () => ({ ...frame }), close: () => {} }
      camera.enqueue(frame as unknown as VideoFrame)
      await settle()
    }
  }
  const { clock } = link
  return { media, errors, withdrawn, catalog, subscribe, plug, film, settle, clock }
}

/** A browser that encodes and decodes these, in three layers. */
const supportOf = (...codecs: VideoCodecName[]): CodecSupport => ({
  encodes: new Map(codecs.map((codec) => [codec, 3])),
  decodes: codecs,
})

describe('codecs of our pictures', () => {
  const sent = (media: LocalMedia) => media.infos().map(({ codec }) => codec.split('.')[0])

  it('follow at once who cannot decode them, and come back when all have borne it for a while', async () => {
    const { media, catalog, settle, clock, plug } = await world({ videoCodecs: ['vp9', 'vp8'] })
    media.setCodecSupport(supportOf('vp8', 'vp9', 'h264'))
    await plug(1280, 720)
    expect(sent(media)).toEqual(['vp09', 'vp09', 'vp09'])
    expect((await catalog()).decodes).toEqual(['vp8', 'vp9', 'h264'])

    media.setReceivers([['vp8', 'vp9'], ['vp8']])
    await settle()
    expect(sent(media)).toEqual(['vp8', 'vp8', 'vp8'])
    expect((await catalog()).tracks.map(({ codec }) => codec)).toEqual(sent(media))

    media.setReceivers([['vp8', 'vp9']])
    clock.advance(19_000)
    expect(sent(media)).toEqual(['vp8', 'vp8', 'vp8'])
    clock.advance(2000)
    expect(sent(media)).toEqual(['vp09', 'vp09', 'vp09'])
    await settle()
    expect((await catalog()).tracks[0]!.codec).toMatch(/^vp09/)
    media.close()
  })
})

describe('what we publish', () => {
  it('is listed in an encrypted catalog, renditions as alternatives of one source', async () => {
    const { catalog, plug, errors } = await world()
    await plug(640, 480)
    const { displayName, tracks } = await catalog()
    expect(displayName).toBe('Ann')
    expect(tracks).toMatchObject([
      { name: 'video/0', width: 320, height: 240, altGroup: 1, temporalLayers: 3, live: true },
      { name: 'video/1', width: 640, height: 480, altGroup: 1, codec: 'vp8', framerate: 30 },
    ])
    expect(errors).toEqual([])
  })

  it('says when the camera is off', async () => {
    const { media, catalog, plug, settle } = await world()
    await plug(640, 480)
    media.setMuted('video', true)
    await settle()
    expect((await catalog()).tracks.map(({ muted }) => muted)).toEqual([true, true])
  })

  it('is what can be subscribed to, and nothing else', async () => {
    const { media, subscribe, plug } = await world()
    expect(await subscribe('video/0')).toMatchObject({ rejected: RequestCode.DOES_NOT_EXIST })
    await plug(640, 480)
    expect(await subscribe('video/0')).toMatchObject({ accepted: true })
    expect(await subscribe('video/2')).toMatchObject({ rejected: RequestCode.DOES_NOT_EXIST })
    expect(media.status('video/1')).not.toBeNull()
    expect(media.status('video/2')).toBeNull()
  })

  it('keeps its tracks when another camera takes the place of the first', async () => {
    const { media, catalog, plug, settle } = await world()
    await plug(1280, 720)
    const before = (await catalog()).tracks
    await plug(640, 480)
    media.setMuted('video', false)
    await settle()
    expect((await catalog()).tracks).toEqual(before)
    expect(media.infos().map(({ name }) => name)).toEqual(['video/0', 'video/1', 'video/2'])
  })

  it('has a screen and its sound in the catalog while they are shared, and the same tracks again', async () => {
    const { media, catalog, subscribe, settle, errors } = await world()
    const names = async () => (await catalog()).tracks.map(({ name }) => name)
    const share = async (sound: ReadableStream<AudioData> | null) => {
      await media.share(new ReadableStream<VideoFrame>(), sound)
      await settle()
    }
    expect(await subscribe('screen')).toMatchObject({ rejected: RequestCode.DOES_NOT_EXIST })
    await share(new ReadableStream<AudioData>())
    const { tracks } = await catalog()
    expect(tracks).toMatchObject([
      { name: 'screen', role: 'video', width: 1920, height: 1080, temporalLayers: 3, muted: false },
      { name: 'screen-audio', role: 'audio', codec: 'opus' },
    ])
    expect(tracks[0]).not.toHaveProperty('altGroup')
    expect(await subscribe('screen')).toMatchObject({ accepted: true })
    expect(media.infos()).toMatchObject([
      { kind: 'screen', direction: 'send', rendition: null },
      { kind: 'screen-audio', direction: 'send' },
    ])
    media.unshare()
    await settle()
    expect(await names()).toEqual([])
    expect(media.infos()).toEqual([])
    await share(null)
    expect(await names()).toEqual(['screen'])
    expect(errors).toEqual([])
  })

  it('leaves a rendition out that cannot be encoded, in the catalog, too', async () => {
    const { catalog, subscribe, plug, film, withdrawn, errors } = await world()
    await plug(640, 480)
    await subscribe('video/1')
    for (let i = 0; i < 3; i++) {
      await film(10)
      FakeCodec.last.fail('no memory')
    }
    await film(1)
    expect(withdrawn).toEqual(['video/1'])
    expect(errors).toHaveLength(2)
    expect((await catalog()).tracks.map(({ name }) => name)).toEqual(['video/0'])
    expect(await subscribe('video/1')).toMatchObject({ rejected: RequestCode.DOES_NOT_EXIST })
  })
})
