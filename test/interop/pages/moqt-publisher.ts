/** Runs in a browser page: what a client of @moqt/webtransport does as a publisher. */

import {
  type Fetch,
  type Location,
  type Parameters,
  type ParameterValue,
  varint,
} from '@moqt/transport'
import type { MoqtConnection } from '@moqt/webtransport'
import { keyOf, type Place, selected, type TrackId } from '../client.ts'
import { bytesOf, textOf } from './page.ts'

export const LARGEST_OBJECT = 0x09n
/** Of the parameter FORWARD. */
const FORWARD = 0x10n
/** Of PUBLISH_DONE. */
const TRACK_ENDED = 0x2
/** Of REQUEST_ERROR. */
const DOES_NOT_EXIST = 0x10n
const INVALID_RANGE = 0x11n

interface Served {
  readonly alias: bigint
  readonly wanted: PromiseWithResolvers<void>
  /** Ids of the requests by which it is published. */
  readonly requests: Set<bigint>
  readonly groups: Map<number, readonly string[]>
  largest: { group: bigint; object: bigint } | null
}

/** Answers to requests by their ids; one may come before the library has told the id. */
export class Answers {
  private readonly answers = new Map<bigint, PromiseWithResolvers<Parameters>>()

  at(id: bigint): PromiseWithResolvers<Parameters> {
    let answer = this.answers.get(id)
    if (!answer) {
      answer = Promise.withResolvers()
      answer.promise.catch(() => {})
      this.answers.set(id, answer)
    }
    return answer
  }

  to(id: bigint): Promise<Parameters> {
    return this.at(id).promise
  }
}

export class MoqtPublisher {
  private readonly connection: MoqtConnection
  private readonly answers: Answers
  private readonly served = new Map<string, Served>()
  private readonly published = new Map<bigint, Served>()

  constructor(connection: MoqtConnection, answers: Answers) {
    this.connection = connection
    this.answers = answers
    connection.onSubscribe = (id, namespace, name) => void this.onSubscribe(id, namespace, name)
    connection.onFetch = (id, fetch) => void this.onFetch(id, fetch)
  }

  /**
   * Without a provider the library does not let a publication be resumed (section 5.1). What is set
   * before `connect` is lost when that chooses the version.
   */
  connected(): void {
    this.connection.setLargestLocationProvider((id) => {
      for (const { requests, largest } of this.served.values()) {
        if (requests.has(id)) return largest
      }
      return null
    })
  }

  async serve(track: TrackId): Promise<void> {
    this.servedOf(track)
  }

  async wanted(track: TrackId): Promise<void> {
    await this.servedOf(track).wanted.promise
  }

  async sendGroup(track: TrackId, group: number, payloads: readonly string[]): Promise<void> {
    const served = this.servedOf(track)
    served.groups.set(group, payloads)
    served.largest = { group: BigInt(group), object: BigInt(payloads.length - 1) }
    if (served.requests.size === 0) return
    const stream = await this.connection.openSubgroup(served.alias, BigInt(group), 0n, {
      endOfGroup: true,
      firstObject: true,
      publisherPriority: 0,
    })
    for (const [object, payload] of payloads.entries()) {
      await this.connection.sendObject(stream, BigInt(object), bytesOf(payload))
    }
    await this.connection.closeSubgroup(stream)
  }

  async sendDatagram(track: TrackId, group: number, object: number, payload: string) {
    const served = this.servedOf(track)
    const location = { group: BigInt(group), object: BigInt(object) }
    await this.connection.sendDatagram(
      served.alias,
      location.group,
      location.object,
      bytesOf(payload),
    )
    served.largest = location
  }

  async end(track: TrackId): Promise<void> {
    for (const id of this.servedOf(track).requests) {
      await this.connection.publishDone(id, varint(TRACK_ENDED), 'it is over')
    }
  }

  async publish(track: TrackId): Promise<void> {
    const served = this.servedOf(track)
    const { largest } = served
    const id = await this.connection.publish(
      track.namespace.map(bytesOf),
      bytesOf(track.name),
      served.alias,
      {
        parameters: new Map<bigint, ParameterValue[]>(largest ? [[LARGEST_OBJECT, [largest]]] : []),
      },
    )
    served.requests.add(id)
    this.published.set(id, served)
    const [forward = 1n] = (await this.answers.to(id)).get(FORWARD) ?? []
    if (forward === 1n) served.wanted.resolve()
  }

  /** REQUEST_UPDATE: a track that was published may be wanted from now on. */
  updated(id: bigint, parameters: Parameters): void {
    if (parameters.get(FORWARD)?.[0] === 1n) this.published.get(id)?.wanted.resolve()
  }

  private async onSubscribe(id: bigint, namespace: Uint8Array[], name: Uint8Array): Promise<void> {
    const served = this.served.get([...namespace, name].map(textOf).join('/'))
    if (!served) {
      await this.connection.rejectSubscribe(id, DOES_NOT_EXIST, 'no such track')
      return
    }
    const { largest } = served
    await this.connection.acceptSubscribe(id, served.alias, {
      parameters: new Map<bigint, ParameterValue[]>(largest ? [[LARGEST_OBJECT, [largest]]] : []),
    })
    served.requests.add(id)
    served.wanted.resolve()
  }

  private async onFetch(id: bigint, { fetch }: Fetch): Promise<void> {
    const { connection } = this
    const served =
      fetch.fetchType === 0x1
        ? this.served.get([...fetch.trackNamespace, fetch.trackName].map(textOf).join('/'))
        : undefined
    if (fetch.fetchType !== 0x1 || !served?.largest) {
      await connection.rejectFetch(id, INVALID_RANGE, 'nothing was published there')
      return
    }
    const objects = selected(served.groups, place(fetch.startLocation), place(fetch.endLocation))
    const last = objects.at(-1) ?? place(served.largest)
    const endLocation = { group: BigInt(last.group), object: BigInt(last.object + 1) }
    await connection.acceptFetch(id, { endOfTrack: 0, endLocation })
    const stream = await connection.openFetchStream(id)
    for (const { group, object, payload } of objects) {
      await connection.sendFetchObject(stream, {
        groupId: BigInt(group),
        subgroupId: 0n,
        objectId: BigInt(object),
        publisherPriority: 0,
        payload: bytesOf(payload),
      })
    }
    await connection.closeFetchStream(stream)
  }

  private servedOf(track: TrackId): Served {
    let served = this.served.get(keyOf(track))
    if (!served) {
      const alias = BigInt(this.served.size + 1)
      served = {
        alias,
        wanted: Promise.withResolvers(),
        requests: new Set(),
        groups: new Map(),
        largest: null,
      }
      this.served.set(keyOf(track), served)
    }
    return served
  }
}

export function place({ group, object }: Location): Place {
  return { group: Number(group), object: Number(object) }
}
