import { MoqObject, ObjectStatus } from '../../moq/wire/object.ts'
import { CacheBudget, type CacheLimits, TrackCache } from '../../sfu/cache/index.ts'
import type { Case, Subject } from './subject.ts'

const BATCH = 1000
const LIMITS: CacheLimits = {
  maxBytes: 64 * 1024 * 1024,
  maxBytesPerTrack: 8 * 1024 * 1024,
  maxObjects: 1_000_000,
  maxObjectsPerTrack: 4096,
}

/** What the relay's ledger and cache cost an object; both are full, so that others have to go. */
export const cache: Subject = {
  name: 'cache',
  about: 'one received object entered into the full cache of its track, and others let go for it',
  cases: () => [
    adding('1200 B, 60 objects a group', { objects: 60, payloadBytes: 1200, limits: LIMITS }),
    adding('1200 B, a group without end', { objects: 1e9, payloadBytes: 1200, limits: LIMITS }),
    adding('120 B, an object a group', { objects: 1, payloadBytes: 120, limits: LIMITS }),
    adding('1200 B, nothing cached', {
      objects: 60,
      payloadBytes: 1200,
      limits: { ...LIMITS, maxBytes: 0 },
    }),
    duplicates(),
  ],
}

interface Adding {
  /** In a group. */
  readonly objects: number
  readonly payloadBytes: number
  readonly limits: CacheLimits
}

function adding(name: string, { objects, payloadBytes, limits }: Adding): Case {
  const track = new TrackCache(new CacheBudget(limits), { now: () => 0 })
  const body = new Uint8Array(payloadBytes)
  let next = 0
  const add = () => {
    const object = objectAt(Math.floor(next / objects), next % objects, body)
    next++
    return track.add(object, 0)
  }
  for (let i = 0; i < 3 * limits.maxObjectsPerTrack; i++) add()
  return {
    name,
    operations: BATCH,
    payloadBytes,
    run() {
      let last = add()
      for (let i = 1; i < BATCH; i++) last = add()
      if (last !== 'new') throw new Error(`the object was ${last}`)
      return track.objects
    },
  }
}

/** What a second publisher of the track costs: payloads are compared. */
function duplicates(): Case {
  const track = new TrackCache(new CacheBudget(LIMITS), { now: () => 0 })
  const objects = Array.from({ length: BATCH }, (_, i) => objectAt(0, i, new Uint8Array(1200)))
  for (const object of objects) track.add(object, 0)
  return {
    name: '1200 B, a duplicate',
    operations: BATCH,
    payloadBytes: 1200,
    run() {
      let count = 0
      for (const object of objects) if (track.add(object, 0) === 'duplicate') count++
      if (count !== BATCH) throw new Error(`${count} duplicates`)
      return count
    },
  }
}

/** As a parser makes it, without properties. */
function objectAt(group: number, object: number, body: Uint8Array): MoqObject {
  return new MoqObject(group, 0, object, null, ObjectStatus.NORMAL, false, body, 0, 0, 0)
}
