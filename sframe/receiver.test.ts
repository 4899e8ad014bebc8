import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CounterLedger } from './counter-ledger.ts'
import { SFrameError } from './errors.ts'
import { noFailures, receiveFailures } from './failures.ts'
import { encodeHeader } from './header.ts'
import { ratchetBaseKey, senderKeyKid } from './key-schedule.ts'
import { EpochSecret, mlsKid, parseMlsKid } from './mls.ts'
import { nobleProvider } from './providers/noble.ts'
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
  const keys = { epoch, baseKey: baseKeyOf(epoch) }
  const secret = await EpochSecret.import(provider, suite, keys, new CounterLedger())
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

  it('names what is wrong with a frame, and counts it for KID, leaf index and track', async () => {
    const receiver = await receiverOf({ replayWindow: 32 })
    const sender = await senderOf(provider, { leaf: 5 })
    const first = await sender.encrypt(picture)
    const frames = await Promise.all(Array.from({ length: 40 }, () => sender.encrypt(picture)))
    for (const frame of frames) await receiver.decrypt(frame, undefined, 'video')

    const future = mlsKid({ context: 0, leaf: 5, epoch: 2 })
    const cases: [frame: Uint8Array, code: string, leaf: number | null][] = [
      [new Uint8Array(0), 'truncated', null],
      [Uint8Array.of(0x88, 0, 0), 'malformed-header', null],
      [first.subarray(0, 12), 'truncated', 5],
      [forged(future, 0), 'unknown-kid', 5],
      [frames[39] ?? first, 'replayed', 5],
      [first, 'too-old', 5],
      [forged(sender.kid, 99), 'authentication-failed', 5],
    ]
    for (const [frame, code, leaf] of cases) {
      const outcome = (async () => receiver.decrypt(frame, undefined, 'video'))()
      const error = await outcome.then(
        () => null,
        (reason: unknown) => reason,
      )
      if (!(error instanceof SFrameError)) throw new Error(`not refused: ${code}`)
      expect(error.code).toBe(code)
      expect(error.kid === null ? null : parseMlsKid(error.kid).leaf).toBe(leaf)
    }

    const ofLeaf = {
      'malformed-header': 0,
      truncated: 1,
      'unknown-kid': 1,
      replayed: 1,
      'too-old': 1,
      'authentication-failed': 1,
      'limit-exceeded': 0,
    }
    const all = { ...ofLeaf, truncated: 2, 'malformed-header': 1 }
    expect(receiver.failures()).toEqual(all)
    expect(receiver.failuresOfLeaf(5)).toEqual(ofLeaf)
    expect(receiver.failuresOfLeaf(6).replayed).toBe(0)
    // Frames without a readable KID still have a track, and with it somebody who sent them.
    expect(receiver.failuresOfTrack('video')).toEqual(all)
    expect(receiver.failuresOfTrack('audio').truncated).toBe(0)
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
      const sender = await SenderContext.create({
        provider,
        suite,
        kid,
        baseKey: picture,
        ledger: new CounterLedger(),
      })
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

  it('follows a sender that ratchets its key (section 5.1), and drops the old key when told', async () => {
    const R = 2
    const receiver = new ReceiverContext({ provider, suite })
    let sent: Uint8Array = bytesOf('a base key that alice made')
    let received: Uint8Array = sent.slice()
    let late: Uint8Array = picture
    for (let step = 0; step < 6; step++) {
      const kid = senderKeyKid(3, step, R)
      expect(kid).toBe(3 * 4 + (step % 4))
      const ledger = new CounterLedger()
      const sender = await SenderContext.create({ provider, suite, kid, baseKey: sent, ledger })
      const frames = [await sender.encrypt(picture), await sender.encrypt(picture)]
      await receiver.installKey(kid, received)
      expect(await receiver.decrypt(frames[0] ?? picture)).toEqual(picture)
      // A frame of the step before that comes late, while its key is kept.
      if (step > 0) {
        expect(await receiver.decrypt(late)).toEqual(picture)
        receiver.removeKey(senderKeyKid(3, step - 1, R))
        expect(await codeOf(() => receiver.decrypt(late))).toBe('unknown-kid')
      }
      late = frames[1] ?? picture
      sent = await ratchetBaseKey(provider, suite, sent)
      received = await ratchetBaseKey(provider, suite, received)
    }
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

describe('receiver over a provider that takes its time', () => {
  /** noble, whose every answer to `open` waits until the test gives it. */
  function heldProvider() {
    const held: { readonly kid: number; readonly settle: () => void; readonly fail: () => void }[] =
      []
    let imported = 0
    const provider: CryptoProvider = {
      ...nobleProvider,
      name: 'held',
      async importKey(of, bytes) {
        const kid = imported++
        const key = await nobleProvider.importKey(of, bytes)
        return {
          seal: (...args) => key.seal(...args),
          open(nonce, aad, sealed) {
            const opened = key.open(nonce, aad, sealed)
            return new Promise((resolve, reject) => {
              const fail = () => reject(new Error('the provider broke'))
              held.push({ kid, settle: () => resolve(opened), fail })
            })
          },
          destroy: () => key.destroy(),
        }
      },
    }
    return { provider, held }
  }

  it('is not stalled by a sender whose frames fail, hang or break the provider', async () => {
    const { provider, held } = heldProvider()
    const receiver = new ReceiverContext({ provider, suite })
    await receiver.installEpoch({ epoch: 1, baseKey: baseKeyOf(1) })
    const good = await senderOf(nobleProvider, { leaf: 1 })
    const bad = await senderOf(nobleProvider, { leaf: 2 })
    const payloads = Array.from({ length: 30 }, (_, index) => bytesOf(`frame ${index}`))
    const fromGood = payloads.map(async (payload) => receiver.decrypt(await good.encrypt(payload)))
    const fromBad = payloads.map(async (payload, index) => {
      const frame = await bad.encrypt(payload)
      if (index % 3 === 0) frame[frame.length - 1] = (frame[frame.length - 1] ?? 0) ^ 1
      return receiver.decrypt(index % 3 === 1 ? frame.subarray(0, 9) : frame)
    })
    const bads = Promise.allSettled(fromBad)
    await expect.poll(() => held.length).toBe(50)

    // The good one's answers come first, in reverse; the bad one's hang.
    const keyOfGood = held[0]?.kid
    const ofGood = held.filter(({ kid }) => kid === keyOfGood)
    expect(ofGood.length).toBe(30)
    for (const { settle } of ofGood.toReversed()) settle()
    expect(await Promise.all(fromGood)).toEqual(payloads)
    expect(receiver.failuresOfLeaf(1)).toEqual(noFailures())

    const ofBad = held.filter(({ kid }) => kid !== keyOfGood)
    for (const [index, { settle, fail }] of ofBad.entries()) {
      if (index % 2 === 0) settle()
      else fail()
    }
    const ends = (await bads).map((outcome) => {
      if (outcome.status === 'fulfilled') return 'opened'
      const { reason } = outcome
      return reason instanceof SFrameError ? reason.code : String(reason)
    })
    const count = (end: string) => ends.filter((each) => each === end).length
    expect(count('truncated')).toBe(10)
    expect(count('Error: the provider broke')).toBe(10)
    expect(count('authentication-failed') + count('opened')).toBe(10)
    const counted = receiver.failuresOfLeaf(2)
    expect(counted.truncated).toBe(10)
    expect(counted['authentication-failed']).toBe(count('authentication-failed'))

    const next = receiver.decrypt(await good.encrypt(picture))
    held.at(-1)?.settle()
    expect(await next).toEqual(picture)
  })
})

describe('receiver', () => {
  it('forgets the failures of the oldest tracks when there are too many', async () => {
    const receiver = new ReceiverContext({ provider: nobleProvider, suite })
    for (let track = 0; track <= 1024; track++) {
      await codeOf(() => receiver.decrypt(new Uint8Array(0), undefined, `track ${track}`))
    }
    expect(receiver.failuresOfTrack('track 0').truncated).toBe(0)
    expect(receiver.failuresOfTrack('track 1').truncated).toBe(1)
    expect(receiver.failures().truncated).toBe(1025)
  })

  it('needs a replay window of a power of two', () => {
    const provider = providers[0]!
    expect(() => new ReceiverContext({ provider, suite, replayWindow: 100 })).toThrow(RangeError)
  })
})
