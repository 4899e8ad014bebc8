/**
 * For tests (vitest): participants of a room over a real relay with a real delivery service, on transports in memory
 * that can be cut, and a clock that only a test moves. Sound is objects that a test writes.
 */

import {
  type CatalogTrack,
  encodeCatalog,
  encodeMediaProperties,
} from '../../../moq/media/index.ts'
import { participantNamespace } from '../../../moq/media/names.ts'
import type { IncomingSubscribe } from '../../../moq/session/index.ts'
import { createTransportPair } from '../../../moq/transport/memory.ts'
import type { TransportSession } from '../../../moq/transport/transport.ts'
import { textOf, trackOf } from '../../../moq/wire/names.ts'
import { nobleProvider } from '../../../sframe/index.ts'
import { DeliveryEndpoint } from '../../../sfu/delivery/endpoint.ts'
import type { Peer } from '../../../sfu/relay/peer.ts'
import { RelayWorld } from '../../../sfu/relay/test-world.ts'
import type { EpochKeys } from '../../keys/index.ts'
import type { CallError } from '../types.ts'
import { CallRoom } from './call-room.ts'
import { EncryptedTrack } from './encrypted-track.ts'
import { JoinSteps } from './join-steps.ts'
import type { LocalMedia } from './local-media.ts'
import { MediaKeys } from './media-keys.ts'
import { Reconnector, type ReconnectorSettings } from './reconnector.ts'
import type { RelayConnection } from './relay-connection.ts'

/** The relay that has the rooms. */
export const RIGHT = 'https://right.example/'
const ROOM = 'demo'
const START = Date.UTC(2030, 0, 1)
const STEP_MS = 10
const AUDIO: CatalogTrack = { name: 'audio', role: 'audio', codec: 'opus', live: true }

/** A way to a relay, which may lose everything. */
export class Wire {
  isCut = false
  readonly client: TransportSession
  /** The relay's side. */
  readonly peer: Peer

  constructor(world: ReconnectWorld, relay: RelayWorld) {
    const pair = createTransportPair({
      schedule: (task) => {
        if (!this.isCut) world.later(() => this.isCut || task())
      },
    })
    this.peer = relay.relay.addSession(pair.server, false)
    this.client = pair.client
  }
}

export class ReconnectWorld {
  readonly relay = new RelayWorld()
  /** One that has no rooms, and sends who comes for one to `sentTo`. */
  readonly door = new RelayWorld({
    placement: { placeOf: () => ({ kind: 'elsewhere', uri: this.sentTo }) },
  })
  sentTo = RIGHT
  /** Whether the address of the calls is that of the door. */
  hasDoor = false
  readonly callers: TestCaller[] = []
  private tasks: (() => void)[] = []

  constructor() {
    this.serve()
  }

  now(): number {
    return START + this.relay.clock.now()
  }

  later(task: () => void): void {
    this.tasks.push(task)
  }

  /** @param prepare changes what the caller does, before it begins */
  async enter(
    id: string,
    settings: Partial<ReconnectorSettings> = {},
    prepare: (caller: TestCaller) => void = () => {},
  ): Promise<TestCaller> {
    const caller = new TestCaller(id, this, settings)
    prepare(caller)
    this.callers.push(caller)
    caller.begin()
    await this.run(1500)
    return caller
  }

  /** Lets time pass; each caller sends a frame of sound every 20 ms. */
  async run(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += STEP_MS) {
      if (passed % (2 * STEP_MS) === 0) for (const caller of this.callers) caller.speak()
      this.relay.clock.advance(STEP_MS)
      for (const { room } of this.callers) room.remotes.poll()
      await this.settle()
    }
  }

  /** @returns ms until it holds */
  async until(condition: () => boolean, mostMs = 10_000): Promise<number> {
    const from = this.relay.clock.now()
    while (!condition()) {
      if (this.relay.clock.now() - from >= mostMs) throw new Error(`not within ${mostMs} ms`)
      await this.run(2 * STEP_MS)
    }
    return this.relay.clock.now() - from
  }

  private async settle(): Promise<void> {
    for (let round = 0; round < 4; round++) {
      await this.relay.settle()
      const { tasks } = this
      this.tasks = []
      for (const task of tasks) task()
      await new Promise<void>((resolve) => setImmediate(resolve))
      await Promise.all(this.callers.map(({ room }) => room.group.idle()))
    }
  }

  private serve(): void {
    new DeliveryEndpoint({
      transport: this.relay.connect(true),
      clock: this.relay.clock,
      wallClock: () => this.now(),
    })
  }
}

export class TestCaller {
  readonly id: string
  readonly room: CallRoom
  readonly reconnector: Reconnector<RelayConnection>
  readonly epochs: EpochKeys[] = []
  readonly failed: CallError[] = []
  readonly lost: boolean[] = []
  /** Whether there is a relay to be reached. */
  hasNetwork = true
  dials = 0
  spoken = 0
  /** What its catalog says. */
  catalog: Uint8Array = encodeCatalog({ displayName: '', tracks: [] })
  /** What becomes of the key of an epoch before it is used. */
  changeKey: (key: Uint8Array) => Uint8Array = (key) => key
  /** Chunks of samples that were decoded, by source. */
  readonly samples = new Map<string, number>()
  onError: (error: unknown) => void = (error) => {
    throw error
  }
  wires: Wire[] = []
  private readonly world: ReconnectWorld
  private readonly keys: MediaKeys
  private readonly audio: EncryptedTrack
  private readonly catalogTrack: EncryptedTrack
  private catalogGroup = 0

  constructor(id: string, world: ReconnectWorld, settings: Partial<ReconnectorSettings>) {
    this.id = id
    this.world = world
    const { clock } = world.relay
    this.keys = new MediaKeys(
      clock,
      {
        onInstalled: (keys) => {
          this.epochs.push(keys)
          this.room.keysChanged(keys)
        },
        onRevoked: () => this.audio.revokeKey(),
        onSwitch: () => void this.renewKeys(),
      },
      nobleProvider,
    )
    const install = this.keys.install.bind(this.keys)
    this.keys.install = (epoch) => install({ ...epoch, baseKey: this.changeKey(epoch.baseKey) })
    this.say([AUDIO])
    this.catalogTrack = this.track('catalog', 1, () => this.publishCatalog())
    this.audio = this.track('audio', 2)
    this.room = this.openRoom()
    this.reconnector = new Reconnector({
      clock,
      random: () => 0.5,
      settings,
      dial: async ({ url }) => this.dial(url),
      judgeDial: () => ({ error: UNREACHABLE, final: false }),
      judgeClose: () => ({ error: UNREACHABLE, final: false }),
      judgeRefusal: () => ({ error: UNREACHABLE, final: false }),
      onAdopted: (connection) => this.room.adopt(connection),
      onOver: (connection) => this.room.release(connection),
      onLost: (lost) => {
        this.lost.push(lost)
        if (lost) this.room.interrupt()
      },
      isMoving: () => this.room.moving,
      onFailed: (error) => this.failed.push(error),
    })
  }

  get epoch(): EpochKeys {
    return this.epochs.at(-1)!
  }

  begin(): void {
    this.reconnector.begin(this.dial(null))
  }

  /** Nothing gets through any more, without a word to either side. */
  cut(): void {
    this.hasNetwork = false
    for (const wire of this.wires) wire.isCut = true
  }

  /** What its catalog says from now on. */
  say(tracks: CatalogTrack[]): void {
    this.catalog = encodeCatalog({ displayName: this.id, tracks })
  }

  publishCatalog(): void {
    const track = this.catalogTrack
    track.switchKey()
    if (track.canSend) track.send({ ...this.plan(this.catalogGroup++), payload: this.catalog })
  }

  speak(): void {
    if (!this.audio.canSend) return
    const group = this.spoken++
    this.audio.send({ ...this.plan(group), payload: new Uint8Array(40) })
  }

  /** What is seen of somebody else. */
  other(id: string) {
    return this.room.remotes.infos().find((info) => info.id === id)
  }

  /** Objects of somebody's sound that came, each counted once. */
  heardOf(id: string): number {
    return this.other(id)?.tracks.find(({ kind }) => kind === 'audio')?.objects ?? 0
  }

  failuresOf(id: string): number {
    return this.other(id)?.tracks.find(({ kind }) => kind === 'audio')?.decryptFailures ?? 0
  }

  private dial(url: string | null): RelayConnection {
    this.dials++
    if (!this.hasNetwork) throw new Error('no network')
    const { relay, door, hasDoor } = this.world
    const wire = new Wire(this.world, hasDoor && url !== RIGHT ? door : relay)
    this.wires.push(wire)
    return this.room.open({ session: wire.client, transport: 'webtransport' }, [])
  }

  private openRoom(): CallRoom {
    const { clock } = this.world.relay
    const onBug = (error: unknown) => this.onError(error)
    return new CallRoom({
      call: {
        url: 'https://relay.example/',
        room: ROOM,
        name: this.id,
        participantId: this.id,
        suite: 'classical',
        token: null,
        renewsToken: false,
        renewsHashes: false,
        usualTransport: null,
        keySettings: { updateMs: 0 },
      },
      identity: { token: null },
      authenticate: undefined,
      slot: null,
      keys: this.keys,
      media: this.media(),
      clock,
      wallClock: () => this.world.now(),
      steps: new JoinSteps(() => {}),
      events: {
        onChange: () => {},
        onKeysFailed: onBug,
        onMediaError: onBug,
        onChat: () => {},
        onData: () => {},
        onChatDelivered: () => {},
        onPicture: () => {},
        onSamples: (source) => this.samples.set(source, (this.samples.get(source) ?? 0) + 1),
        onSoundEnded: () => {},
        onBug,
      },
    })
  }

  private media(): LocalMedia {
    const media = {
      accept: (request: IncomingSubscribe) => {
        const track = this.named(textOf(request.track.name))
        track?.accept(request)
        return track !== undefined
      },
      fetch: () => false,
      status: (name: string | null) => this.named(name)?.status ?? null,
      onFeedback: () => {},
      setReceivers: () => {},
    }
    return media as unknown as LocalMedia
  }

  private named(name: string | null): EncryptedTrack | undefined {
    return name === 'catalog' ? this.catalogTrack : name === 'audio' ? this.audio : undefined
  }

  private track(name: string, number: number, onGroupRequested?: () => void): EncryptedTrack {
    return new EncryptedTrack({
      track: trackOf(participantNamespace(ROOM, this.id), name),
      number,
      priority: 8,
      keys: this.keys,
      onError: (error) => {
        throw error
      },
      ...(onGroupRequested && { onGroupRequested }),
    })
  }

  private async renewKeys(): Promise<void> {
    await Promise.all([this.audio.renewKey(), this.catalogTrack.renewKey()])
    this.audio.switchKey()
    this.publishCatalog()
    void this.room.chat.renewKey()
  }

  private plan(group: number) {
    return {
      ...encodeMediaProperties({ timestamp: this.world.now() * 1000 }),
      group,
      object: 0,
      delivery: 'stream' as const,
      subgroup: 0,
      temporalLayer: 0,
      last: true,
    }
  }
}

const UNREACHABLE: CallError = { code: 'disconnected', message: 'not reached' }
