/**
 * What the relay handles holds no plaintext. Known frames go through the library's own publish path —
 * packetizer, SFrame, MoQT — to a real relay, and everything that enters or leaves the relay is kept
 * and searched. A second member decrypts it, which shows that the search looked at the real thing.
 */

import { describe, expect, it } from 'vitest'
import { Decryption } from '../client-lib/call/worker/decryption.ts'
import { EncryptedTrack } from '../client-lib/call/worker/encrypted-track.ts'
import { MediaKeys } from '../client-lib/call/worker/media-keys.ts'
import type { EpochKeys } from '../client-lib/keys/index.ts'
import { AudioPacketizer, VideoPacketizer } from '../client-lib/media/packetize.ts'
import { ObjectMetadata } from '../moq/media/index.ts'
import { Session, systemClock } from '../moq/session/index.ts'
import { createTransportPair } from '../moq/transport/memory.ts'
import type { SendStream, TransportSession } from '../moq/transport/transport.ts'
import { RequestCode } from '../moq/wire/codes.ts'
import { namespaceOf, textOf, trackOf } from '../moq/wire/names.ts'
import { SenderContext } from '../sframe/index.ts'
import { makeCounters } from '../sfu/operate/counters.ts'
import { DEFAULT_RELAY_LIMITS, Relay } from '../sfu/relay/index.ts'

const namespace = namespaceOf('sotto', 'demo', 'alice')
const video = trackOf(namespace, 'video/0')
const audio = trackOf(namespace, 'audio')

/** Text that no ciphertext, header or length would contain by chance. */
const SECRET = 'a picture that only the members of the group may see; '

function secretBytes(length: number): Uint8Array {
  return new TextEncoder().encode(SECRET.repeat(Math.ceil(length / SECRET.length)).slice(0, length))
}

/** Keeps everything that is sent on a session, stream by stream and datagram by datagram. */
function tap(session: TransportSession, kept: Uint8Array[][]): void {
  const watch = (stream: SendStream): SendStream => {
    const chunks: Uint8Array[] = []
    kept.push(chunks)
    const write = stream.write.bind(stream)
    stream.write = (bytes) => {
      chunks.push(bytes.slice())
      write(bytes)
    }
    return stream
  }
  const openUni = session.openUni.bind(session)
  session.openUni = (order) => {
    const stream = openUni(order)
    return stream && watch(stream)
  }
  const openBidi = session.openBidi.bind(session)
  session.openBidi = (order) => {
    const stream = openBidi(order)
    if (stream) watch(stream.send)
    return stream
  }
  const sendDatagram = session.sendDatagram.bind(session)
  session.sendDatagram = (bytes) => {
    kept.push([bytes.slice()])
    return sendDatagram(bytes)
  }
}

function contains(kept: readonly Uint8Array[][], needle: string): boolean {
  return kept.some((chunks) => Buffer.concat(chunks).includes(needle))
}

/** An epoch as the group gives it to two members. */
function epochFor(leaf: number): EpochKeys {
  return {
    groupId: new Uint8Array(16),
    epoch: 1,
    suite: 'x-wing',
    baseKey: Uint8Array.from({ length: 32 }, (_, i) => i + 1),
    epochAuthenticator: new Uint8Array(64),
    verificationCode: '0'.repeat(30),
    leaf,
    roster: [
      { leaf: 0, participantId: 'alice', fingerprint: 'a', since: { epoch: 1, time: 0 } },
      { leaf: 1, participantId: 'bob', fingerprint: 'b', since: { epoch: 1, time: 0 } },
    ],
    removed: [],
    reason: 'joined',
  }
}

function fail(error: unknown): never {
  throw error
}

async function makeCall() {
  const kept: Uint8Array[][] = []
  const relay = new Relay({
    clock: systemClock,
    counters: makeCounters(),
    limits: DEFAULT_RELAY_LIMITS,
    onInternalError: fail,
  })
  const connect = () => {
    const pair = createTransportPair()
    tap(pair.client, kept)
    tap(pair.server, kept)
    relay.addSession(pair.server)
    return pair.client
  }
  const switched = Promise.withResolvers<void>()
  const alice = new MediaKeys(systemClock, {
    onInstalled: () => {},
    onRevoked: () => {},
    onSwitch: () => switched.resolve(),
  })
  const bob = new MediaKeys(systemClock, {
    onInstalled: () => {},
    onRevoked: () => {},
    onSwitch: () => {},
  })
  await Promise.all([alice.install(epochFor(0)), bob.install(epochFor(1)), switched.promise])
  return { kept, connect, alice, bob }
}

describe('what the relay handles', () => {
  it('holds ciphertext of every frame, on streams and datagrams, and no plaintext', async () => {
    const { kept, connect, alice, bob } = await makeCall()
    const tracks = new Map(
      [video, audio].map((track, number) => {
        const encrypted = new EncryptedTrack({
          track,
          number,
          priority: 0,
          keys: alice,
          onError: fail,
        })
        return [textOf(track.name), encrypted] as const
      }),
    )
    for (const track of tracks.values()) await track.renewKey()
    const publisher = new Session(connect(), {
      role: 'client',
      handler: {
        onSubscribe: (request) => {
          const track = tracks.get(textOf(request.track.name))
          // The relay asks for its `report`, too.
          if (track) track.accept(request)
          else request.reject(RequestCode.DOES_NOT_EXIST, 'no such track')
        },
      },
    })
    const published = Promise.withResolvers<void>()
    publisher.publishNamespace(namespace, { onAccepted: () => published.resolve() })
    await published.promise

    const opened: string[] = []
    const subscriber = new Session(connect(), { role: 'client', handler: {} })
    for (const track of [video, audio]) {
      const decryption = new Decryption({
        participantId: 'alice',
        track,
        keys: bob,
        clock: systemClock,
        onPlaintext: (object, _immutable, payload) =>
          opened.push(`${textOf(track.name)} ${object.subgroup === null} ${textOf(payload)}`),
      })
      const accepted = Promise.withResolvers<void>()
      subscriber.subscribe(
        track,
        {},
        {
          onAccepted: () => accepted.resolve(),
          onObject: (object) => decryption.push(object),
        },
      )
      await accepted.promise
    }

    const packetizer = new VideoPacketizer({ temporalLayers: 3 })
    const layers = [0, 2, 1, 2, 0, 2, 1, 2]
    for (const [i, temporalLayer] of layers.entries()) {
      const bytes = secretBytes(i === 0 ? 20_000 : 2500)
      const frame = { bytes, timestamp: i * 33_000, key: i === 0, temporalLayer }
      for (const plan of packetizer.packetize(frame, 1200)) tracks.get('video/0')!.send(plan)
    }
    const opus = new AudioPacketizer()
    for (let i = 0; i < 7; i++) {
      const frame = { bytes: secretBytes(160), timestamp: i * 20_000, level: 30, voice: true }
      tracks.get('audio')!.send(opus.packetize(frame))
    }

    // 2 base frames, 6 enhancement frames of 3 datagrams each, 7 of sound.
    await expect.poll(() => opened.length).toBe(2 + 6 * 3 + 7)
    expect(opened.filter((line) => line.startsWith('video/0 true')).length).toBe(6 * 3)
    for (const line of opened) expect(line).toContain(SECRET.slice(0, 20))

    expect(kept.flat().reduce((sum, chunk) => sum + chunk.length, 0)).toBeGreaterThan(60_000)
    // The tap sees what is there to be seen: names are not secret.
    expect(contains(kept, 'video/0')).toBe(true)
    for (let at = 0; at + 12 <= SECRET.length; at += 6) {
      expect(contains(kept, SECRET.slice(at, at + 12))).toBe(false)
    }
  })

  it('cannot be altered or moved: the relay that tries is found out', async () => {
    const { alice, bob } = await makeCall()
    const { secret, leaf } = alice.sendEpoch!
    const sender = await SenderContext.forEpoch(secret, { context: 5, leaf })
    const metadata = new ObjectMetadata(video)
    const marks = Uint8Array.of(1, 2, 3)
    const frame = await sender.encrypt(secretBytes(100), metadata.of(4, 2, marks))
    const open = (bytes: Uint8Array, aad: Uint8Array) =>
      Promise.resolve().then(() => bob.receiver.decrypt(bytes, aad, 'video'))
    const refused = { code: 'authentication-failed' }
    await expect(open(frame, metadata.of(4, 3, marks))).rejects.toMatchObject(refused)
    await expect(open(frame, metadata.of(5, 2, marks))).rejects.toMatchObject(refused)
    await expect(open(frame, metadata.of(4, 2, Uint8Array.of(1, 2, 4)))).rejects.toMatchObject(
      refused,
    )
    const elsewhere = new ObjectMetadata(audio)
    await expect(open(frame, elsewhere.of(4, 2, marks))).rejects.toMatchObject(refused)
    const altered = frame.slice()
    altered[altered.length - 1]! ^= 1
    await expect(open(altered, metadata.of(4, 2, marks))).rejects.toMatchObject(refused)
    await expect(open(frame, metadata.of(4, 2, marks))).resolves.toEqual(secretBytes(100))
    await expect(open(frame, metadata.of(4, 2, marks))).rejects.toMatchObject({ code: 'replayed' })
  })
})
