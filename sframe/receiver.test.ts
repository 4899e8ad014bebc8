import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SFrameError } from './errors.ts'
import { receiveFailures } from './failures.ts'
import { encodeHeader } from './header.ts'
import { EpochSecret, mlsKid } from './mls.ts'
import type { CryptoProvider } from './providers/provider.ts'
import { ReceiverContext, type ReceiverOptions } from './receiver.ts'
import { SenderContext } from './sender.ts'
import { suites } from './suites.ts'
import { bytesOf, codeOf, hex, providers } from './testing.ts'

const suite = suites.AES_256_GCM_SHA512_128
const picture = bytesOf('a picture')

function baseKeyOf(epoch: number): Uint8Array {
  return bytesOf(`base key of epoch ${epoch}`.padEnd(32))
}

/** A sender of a member in an epoch, as every other member sees it. */
async function senderOf(
  provider: CryptoProvider,
  { epoch = 1, leaf = 0, context = 0 },
): Promise<SenderContext> {
  const secret = await EpochSecret.import(provider, suite, { epoch, baseKey: baseKeyOf(epoch) })
  return SenderContext.forEpoch(secret, { context, leaf })
}

/** A frame under any KID and counter, with zeros for a ciphertext. */
function forged(kid: number | bigint, ctr: number | bigint): Uint8Array {
  return Uint8Array.from([...encodeHeader(kid, ctr), ...new Uint8Array(20)])
}

describe.each(providers)('receiver with $name', (provider) => {
  async function receiverOf(options: Partial<ReceiverOptions> = {}): Promise<ReceiverContext> {
    const receiver = new ReceiverContext({ provider, suite, ...options })
    await receiver.installEpoch({ epoch: 1, baseKey: baseKeyOf(1) })
    return receiver
  }

  it('decrypts members of an epoch as they turn up', async () => {
    const receiver = await receiverOf()
    for (const leaf of [0, 1, 4095]) {
      for (const context of [0, 1, 2 ** 44 - 1]) {
        const sender = await senderOf(provider, { leaf, context })
        expect(await receiver.decrypt(await sender.encrypt(picture))).toEqual(picture)
      }
    }
    expect(Object.values(receiver.failures())).toEqual(receiveFailures.map(() => 0))
  })

  it('names what is wrong with a frame, and counts it for KID and leaf index', async () => {
    const receiver = await receiverOf({ replayWindow: 32 })
    const sender = await senderOf(provider, { leaf: 5 })
    const first = await sender.encrypt(picture)
    const frames = await Promise.all(Array.from({ length: 40 }, () => sender.encrypt(picture)))
    const refused = (frame: Uint8Array) => codeOf(() => receiver.decrypt(frame))
    for (const frame of frames) await receiver.decrypt(frame)

    expect(await refused(new Uint8Array(0))).toBe('truncated')
    expect(await refused(Uint8Array.of(0x88, 0, 0))).toBe('malformed-header')
    expect(await refused(first.subarray(0, 12))).toBe('truncated')
    expect(await refused(forged(mlsKid({ context: 0, leaf: 5, epoch: 2 }), 0))).toBe('unknown-kid')
    expect(await refused(frames[39] ?? first)).toBe('replayed')
    expect(await refused(first)).toBe('too-old')
    expect(await refused(forged(sender.kid, 99))).toBe('authentication-failed')

    const ofLeaf = {
      'malformed-header': 0,
      truncated: 1,
      'unknown-kid': 1,
      replayed: 1,
      'too-old': 1,
      'authentication-failed': 1,
      'limit-exceeded': 0,
    }
    expect(receiver.failures()).toEqual({ ...ofLeaf, truncated: 2, 'malformed-header': 1 })
    expect(receiver.failuresOfLeaf(5)).toEqual(ofLeaf)
    expect(receiver.failuresOfLeaf(6).replayed).toBe(0)
    expect(receiver.failuresOfKid(sender.kid)).toEqual({
      ...ofLeaf,
      truncated: 0,
      'unknown-kid': 0,
    })
    expect(receiver.failuresOfKid(77)).toBeNull()
  })

  it('ends every hostile frame in an SFrameError', async () => {
    const receiver = await receiverOf()
    const bytes = fc.uint8Array({ maxLength: 60 })
    await fc.assert(
      fc.asyncProperty(bytes, bytes, async (frame, metadata) => {
        try {
          await receiver.decrypt(frame, metadata)
          throw new Error('accepted')
        } catch (error) {
          expect(error).toBeInstanceOf(SFrameError)
          expect(receiveFailures).toContain((error as SFrameError).code)
        }
      }),
      { numRuns: 200 },
    )
  })

  it('lets no forged counter move the window', async () => {
    const receiver = await receiverOf({ replayWindow: 32 })
    const sender = await senderOf(provider, {})
    const frames = await Promise.all(Array.from({ length: 10 }, () => sender.encrypt(picture)))
    for (const [index, frame] of frames.entries()) {
      const forgery = forged(sender.kid, 2n ** 64n - 1n - BigInt(index))
      expect(await codeOf(() => receiver.decrypt(forgery))).toBe('authentication-failed')
      expect(await receiver.decrypt(frame)).toEqual(picture)
    }
  })

  it('accepts a frame once, however many copies arrive together', async () => {
    const receiver = await receiverOf()
    const sender = await senderOf(provider, {})
    const frame = await sender.encrypt(picture)
    const copies = Array.from({ length: 10 }, async () => receiver.decrypt(frame))
    const results = await Promise.allSettled(copies)
    expect(results.filter(({ status }) => status === 'fulfilled').length).toBe(1)
    expect(receiver.failures().replayed).toBe(9)
  })

  it('keeps a window for each track of a KID', async () => {
    const receiver = await receiverOf({ replayWindow: 32, tracksPerKey: 2 })
    const sender = await senderOf(provider, {})
    const frames = await Promise.all(Array.from({ length: 100 }, () => sender.encrypt(picture)))
    const [early, late] = [frames[0] ?? picture, frames[99] ?? picture]
    await receiver.decrypt(late, undefined, 'video')
    await receiver.decrypt(early, undefined, 'audio')
    const refused = (track: string) => codeOf(() => receiver.decrypt(early, undefined, track))
    expect(await refused('video')).toBe('too-old')
    expect(await refused('audio')).toBe('replayed')
    expect(await refused('screen')).toBe('limit-exceeded')
  })

  it('lets one sender fail alone', async () => {
    const receiver = await receiverOf({ contextsPerLeaf: 2, unprovenKeys: 2 })
    const good = await senderOf(provider, { leaf: 1 })
    await receiver.decrypt(await good.encrypt(picture))
    for (let context = 0; context < 5; context++) {
      const greedy = await senderOf(provider, { leaf: 2, context })
      const outcome = async () => hex(await receiver.decrypt(await greedy.encrypt(picture)))
      if (context < 2) expect(await outcome()).toBe(hex(picture))
      else expect(await codeOf(outcome)).toBe('limit-exceeded')
    }
    // A relay makes KIDs up: more than are kept, under every name.
    for (let context = 0; context < 20; context++) {
      const kid = mlsKid({ context, leaf: context % 4, epoch: 1 })
      await codeOf(() => receiver.decrypt(forged(kid, 1000)))
    }
    const late = await senderOf(provider, { leaf: 3 })
    expect(await receiver.decrypt(await late.encrypt(picture))).toEqual(picture)
    expect(await receiver.decrypt(await good.encrypt(picture))).toEqual(picture)
    const keys = receiver.dump().epochs.flatMap((epoch) => epoch.keys)
    expect(keys.map(({ kid }) => kid)).toEqual([
      good.kid,
      mlsKid({ context: 0, leaf: 2, epoch: 1 }),
      mlsKid({ context: 1, leaf: 2, epoch: 1 }),
      late.kid,
    ])
  })

  it('accepts a frame once even if its key made room for forged ones meanwhile', async () => {
    const receiver = await receiverOf({ unprovenKeys: 1 })
    const sender = await senderOf(provider, { leaf: 1 })
    const frame = await sender.encrypt(picture)
    const other = (context: number) => forged(mlsKid({ context, leaf: 2, epoch: 1 }), 0)
    const results = await Promise.allSettled(
      [frame, other(1), frame, other(2), frame].map(async (bytes) => receiver.decrypt(bytes)),
    )
    expect(results.filter(({ status }) => status === 'fulfilled').length).toBe(1)
    expect(receiver.failures().replayed).toBe(2)
  })

  it('receives nothing under the keys of its own leaf', async () => {
    const receiver = new ReceiverContext({ provider, suite })
    await receiver.installEpoch({ epoch: 1, baseKey: baseKeyOf(1), ownLeaf: 4 })
    const own = await senderOf(provider, { leaf: 4 })
    const other = await senderOf(provider, { leaf: 5 })
    expect(await codeOf(async () => receiver.decrypt(await own.encrypt(picture)))).toBe(
      'unknown-kid',
    )
    expect(await receiver.decrypt(await other.encrypt(picture))).toEqual(picture)
  })

  it('binds header and metadata to the frame', async () => {
    const receiver = await receiverOf()
    const sender = await senderOf(provider, { leaf: 1 })
    const frame = await sender.encrypt(picture, bytesOf('track a'))
    const decryptWith = (metadata: string) => receiver.decrypt(frame, bytesOf(metadata))
    for (const wrong of ['', 'track b', 'track aa', 'track']) {
      expect(await codeOf(() => decryptWith(wrong))).toBe('authentication-failed')
    }
    expect(await decryptWith('track a')).toEqual(picture)
  })

  describe('epochs', () => {
    it('overlap until one is removed', async () => {
      const receiver = await receiverOf()
      await receiver.installEpoch({ epoch: 2, baseKey: baseKeyOf(2) })
      const before = await senderOf(provider, { epoch: 1 })
      const after = await senderOf(provider, { epoch: 2 })
      expect(await receiver.decrypt(await before.encrypt(picture))).toEqual(picture)
      expect(await receiver.decrypt(await after.encrypt(picture))).toEqual(picture)
      receiver.removeEpoch(1)
      receiver.removeEpoch(258)
      const late = await before.encrypt(picture)
      expect(await codeOf(() => receiver.decrypt(late))).toBe('unknown-kid')
      expect(await receiver.decrypt(await after.encrypt(picture))).toEqual(picture)
    })

    it('make room for a newer one with the same low bits, never for an older (section 5.2)', async () => {
      const receiver = await receiverOf()
      const before = await senderOf(provider, { epoch: 1 })
      await receiver.decrypt(await before.encrypt(picture))
      await receiver.installEpoch({ epoch: 257, baseKey: baseKeyOf(257) })
      const stale = await before.encrypt(picture)
      expect(await codeOf(() => receiver.decrypt(stale))).toBe('authentication-failed')
      const after = await senderOf(provider, { epoch: 257 })
      expect(after.kid).toBe(before.kid)
      expect(await receiver.decrypt(await after.encrypt(picture))).toEqual(picture)
      for (const epoch of [1, 257]) {
        const again = receiver.installEpoch({ epoch, baseKey: baseKeyOf(epoch) })
        await expect(again).rejects.toThrow(RangeError)
      }
      expect(receiver.dump().epochs.map(({ epoch }) => epoch)).toEqual([257])
    })

    it('serve frames that arrive while they are installed', async () => {
      const receiver = new ReceiverContext({ provider, suite })
      const sender = await senderOf(provider, {})
      const frame = await sender.encrypt(picture)
      const installed = receiver.installEpoch({ epoch: 1, baseKey: baseKeyOf(1) })
      expect(await receiver.decrypt(frame)).toEqual(picture)
      await installed
    })

    it('fail by name what waits when they are removed', async () => {
      const receiver = new ReceiverContext({ provider, suite })
      const sender = await senderOf(provider, {})
      const frames = [await sender.encrypt(picture), await sender.encrypt(picture)]
      const installed = receiver.installEpoch({ epoch: 1, baseKey: baseKeyOf(1) })
      const results = frames.map(async (frame) => receiver.decrypt(frame))
      receiver.removeEpoch(1)
      for (const result of await Promise.allSettled(results)) {
        if (result.status === 'fulfilled') expect(result.value).toEqual(picture)
        else expect(result.reason).toMatchObject({ code: 'unknown-kid' })
      }
      await installed
      expect(receiver.dump().epochs).toEqual([])
    })

    it('need a base key of Nk bytes', async () => {
      const receiver = new ReceiverContext({ provider, suite })
      const short = receiver.installEpoch({ epoch: 1, baseKey: new Uint8Array(16) })
      await expect(short).rejects.toThrow(RangeError)
      await receiver.installEpoch({ epoch: 1, baseKey: baseKeyOf(1) })
    })
  })

  describe('single keys', () => {
    it('are installed once, removed, and all deleted in the end', async () => {
      const receiver = await receiverOf()
      const kid = 2n ** 63n
      const sender = await SenderContext.create({ provider, suite, kid, baseKey: picture })
      const frames = await Promise.all([1, 2, 3].map(() => sender.encrypt(picture)))
      const [first = picture, second = picture, third = picture] = frames
      const installed = receiver.installKey(kid, picture)
      expect(await receiver.decrypt(first)).toEqual(picture)
      await installed
      await expect(receiver.installKey(kid, picture)).rejects.toThrow(RangeError)
      expect(receiver.dump().keys).toMatchObject([{ kid, tracks: [''] }])
      receiver.removeKey(kid)
      expect(await codeOf(() => receiver.decrypt(second))).toBe('unknown-kid')
      await receiver.installKey(kid, picture)
      expect(await receiver.decrypt(second)).toEqual(picture)
      receiver.destroy()
      expect(await codeOf(() => receiver.decrypt(third))).toBe('unknown-kid')
      expect(receiver.dump()).toMatchObject({ keys: [], epochs: [] })
    })
  })

  it('survives any interleaving of senders, losses, copies and reordering', async () => {
    const arrivals = fc.array(fc.record({ sender: fc.nat(2), frame: fc.nat(29) }), {
      minLength: 1,
      maxLength: 150,
    })
    const senders = await Promise.all([0, 1, 2].map((leaf) => senderOf(provider, { leaf })))
    const sent = await Promise.all(
      senders.map((sender, leaf) =>
        Promise.all(
          Array.from({ length: 30 }, (_, index) => sender.encrypt(bytesOf(`${leaf}/${index}`))),
        ),
      ),
    )
    await fc.assert(
      fc.asyncProperty(arrivals, async (order) => {
        const receiver = await receiverOf()
        const results = await Promise.allSettled(
          order.map(async ({ sender, frame }) =>
            receiver.decrypt(sent[sender]?.[frame] ?? picture),
          ),
        )
        const opened = results.flatMap((result) =>
          result.status === 'fulfilled' ? [new TextDecoder().decode(result.value)] : [],
        )
        const expected = new Set(order.map(({ sender, frame }) => `${sender}/${frame}`))
        expect(opened.sort()).toEqual([...expected].sort())
        expect(receiver.failures().replayed).toBe(order.length - expected.size)
      }),
      { numRuns: 15 },
    )
  })
})

describe('receiver', () => {
  it('needs a replay window of a power of two', () => {
    const provider = providers[0]!
    expect(() => new ReceiverContext({ provider, suite, replayWindow: 100 })).toThrow(RangeError)
  })
})
