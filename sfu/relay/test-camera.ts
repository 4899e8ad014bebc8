/** For tests by vitest: a publisher's camera, frame by frame. */

import { encodeMediaProperties } from '../../moq/media/index.ts'
import type { Namespace } from '../../moq/wire/names.ts'
import { Publisher, type RelayWorld, sealed } from './test-world.ts'

const utf8 = new TextEncoder()

/** A camera of two temporal layers: base frames on the group's stream, the others as datagrams. */
export class Camera {
  readonly publisher: Publisher
  /** SFrame: of the next object. */
  epoch = 1
  private counter = 0
  private group = -1
  private object = 0
  private baseIndex = 250

  constructor(world: RelayWorld, namespace: Namespace) {
    this.publisher = new Publisher(world, namespace)
    this.publisher.track('video/0')
  }

  get track() {
    return this.publisher.tracks.get('video/0')!
  }

  /** Begins a group. @param sent false: it is lost on its way */
  key(sent = true): void {
    this.group++
    this.object = 0
    this.base(sent, true)
  }

  base(sent = true, independent = false): void {
    this.baseIndex = (this.baseIndex + 1) & 0xff
    const object = this.next(0, independent)
    if (sent) this.track.writeStream(0, object)
  }

  enhancement(): void {
    this.track.writeDatagram(this.next(1, false))
  }

  /** Takes an object's place that nobody sends. */
  skip(): void {
    this.object++
  }

  private next(temporal: number, independent: boolean) {
    const { properties } = encodeMediaProperties({
      frameMarking: {
        start: true,
        end: true,
        independent,
        discardable: temporal > 0,
        layer: { temporal, spatial: 0, baseIndex: this.baseIndex, baseSync: temporal > 0 },
      },
    })
    const payload = utf8.encode(sealed(this.counter++, '', this.epoch))
    return { group: this.group, object: this.object++, properties, payload }
  }
}
