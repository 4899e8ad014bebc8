import { beforeEach, describe, expect, it } from 'vitest'
import { CounterLedger } from './counter-ledger.ts'
import { decodeHeader } from './header.ts'
import { EpochSecret, mlsKid } from './mls.ts'
import { ReceiverContext } from './receiver.ts'
import { MAX_SEND_COUNTER, SenderContext, type SenderOptions } from './sender.ts'
import { suites } from './suites.ts'
import { bytesOf, codeOf, hex, providers } from './testing.ts'

const suite = suites.AES_256_GCM_SHA512_128
const baseKey = new Uint8Array(32).fill(1)
const picture = bytesOf('a picture')

describe.each(providers)('sender with $name', (provider) => {
  /** Each test has the key to itself. */
  let ledger: CounterLedger
  let base: SenderOptions
  beforeEach(() => {
    ledger = new CounterLedger()
    base = { provider, suite, kid: 9, baseKey, ledger }
  })

  it('counts from 0 and puts KID and counter in front', async () => {
    const sender = await SenderContext.create(base)
    for (let ctr = 0; ctr < 20; ctr++) {
      expect(sender.nextCounter).toBe(ctr)
      const frame = await sender.encrypt(picture)
      const { length, ...header } = decodeHeader(frame)
      expect(header).toEqual({ kid: 9, ctr })
      expect(frame.length).toBe(length + picture.length + suite.tagLength)
    }
  })

  it('takes a counter a call, also for calls that overlap', async () => {
    const sender = await SenderContext.create(base)
    const receiver = new ReceiverContext({ provider, suite })
    await receiver.installKey(9, baseKey)
    const payloads = Array.from({ length: 200 }, (_, index) => bytesOf(`frame ${index}`))
    const metadata = payloads.map((_, index) => new Uint8Array(index * 3).fill(index))
    const frames = await Promise.all(
      payloads.map((payload, index) => sender.encrypt(payload, metadata[index])),
    )
    expect(frames.map((frame) => decodeHeader(frame).ctr)).toEqual(payloads.map((_, i) => i))
    const opened = await Promise.all(
      frames.map((frame, index) => receiver.decrypt(frame, metadata[index])),
    )
    expect(opened.map(hex)).toEqual(payloads.map(hex))
  })

  it('never encrypts the same way twice', async () => {
    const sender = await SenderContext.create(base)
    const frames = await Promise.all(Array.from({ length: 50 }, () => sender.encrypt(picture)))
    const ciphertexts = frames.map((frame) => hex(frame.subarray(decodeHeader(frame).length)))
    expect(new Set(ciphertexts).size).toBe(50)
  })

  it('stops for good after its last counter', async () => {
    const sender = await SenderContext.create({ ...base, firstCounter: 6, lastCounter: 8 })
    for (const ctr of [6, 7, 8]) {
      expect(decodeHeader(await sender.encrypt(picture)).ctr).toBe(ctr)
    }
    for (let attempt = 0; attempt < 3; attempt++) {
      expect(await codeOf(() => sender.encrypt(picture))).toBe('counter-exhausted')
    }
  })

  it('stops while numbers are still exact', async () => {
    const sender = await SenderContext.create({ ...base, firstCounter: MAX_SEND_COUNTER - 1 })
    const counters = [await sender.encrypt(picture), await sender.encrypt(picture)].map(
      (frame) => decodeHeader(frame).ctr,
    )
    expect(counters).toEqual([2 ** 53 - 3, 2 ** 53 - 2])
    expect(await codeOf(() => sender.encrypt(picture))).toBe('counter-exhausted')
  })

  it.each([
    { firstCounter: -1 },
    { firstCounter: 0.5 },
    { firstCounter: 2, lastCounter: 1 },
    { lastCounter: 2 ** 53 },
  ])('takes no counters like %o', async (range) => {
    await expect(SenderContext.create({ ...base, ...range })).rejects.toThrow(RangeError)
  })

  it('encrypts empty frames, and frames larger than any internal buffer', async () => {
    const sender = await SenderContext.create(base)
    const receiver = new ReceiverContext({ provider, suite })
    await receiver.installKey(9, baseKey)
    for (const length of [0, 1, 8191, 8192, 300_000]) {
      const plaintext = new Uint8Array(length).fill(length & 0xff)
      const metadata = new Uint8Array(length >> 4)
      const frame = await sender.encrypt(plaintext, metadata)
      expect(hex(await receiver.decrypt(frame, metadata))).toBe(hex(plaintext))
    }
  })

  it('keeps no reference to the base key, and gives up the key when destroyed', async () => {
    const owned = baseKey.slice()
    const sender = await SenderContext.create({ ...base, baseKey: owned })
    const twin = await SenderContext.create({ ...base, ledger: new CounterLedger() })
    owned.fill(0)
    const last = sender.encrypt(picture)
    sender.destroy()
    expect(await last).toEqual(await twin.encrypt(picture))
    expect(await codeOf(() => sender.encrypt(picture))).toBe('key-deleted')
  })

  it('is given out once for each stream of an epoch', async () => {
    const epoch = await EpochSecret.import(provider, suite, { epoch: 300, baseKey }, ledger)
    const audio = await SenderContext.forEpoch(epoch, { context: 0, leaf: 7 })
    const video = await SenderContext.forEpoch(epoch, { context: 1, leaf: 7 })
    expect(audio.kid).toBe(mlsKid({ context: 0, leaf: 7, epoch: 300 }))
    expect(video.kid).toBe(mlsKid({ context: 1, leaf: 7, epoch: 300 }))
    const again = () => SenderContext.forEpoch(epoch, { context: 1, leaf: 7 })
    expect(await codeOf(again)).toBe('kid-in-use')

    const receiver = new ReceiverContext({ provider, suite })
    await receiver.installEpoch({ epoch: 300, baseKey })
    expect(await receiver.decrypt(await video.encrypt(picture))).toEqual(picture)
  })

  it('is refused for a stream that another import of the same epoch secret sends', async () => {
    const keys = { epoch: 300, baseKey }
    const one = await EpochSecret.import(provider, suite, keys, ledger)
    const other = await EpochSecret.import(provider, suite, keys, ledger)
    const stream = { context: 1, leaf: 7 }
    const racing = await Promise.allSettled(
      [one, other, one].map((epoch) => SenderContext.forEpoch(epoch, stream)),
    )
    expect(racing.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected', 'rejected'])
    expect(await codeOf(() => SenderContext.forEpoch(other, stream))).toBe('kid-in-use')
    const kid = mlsKid({ ...stream, epoch: 300 })
    expect(await codeOf(() => SenderContext.create({ ...base, kid }))).toBe('kid-in-use')
    // Another stream, another member, another suite: other keys.
    await SenderContext.forEpoch(other, { context: 2, leaf: 7 })
    await SenderContext.forEpoch(other, { context: 1, leaf: 8 })
    const { AES_128_CTR_HMAC_SHA256_80: ctr80, AES_128_CTR_HMAC_SHA256_64: ctr64 } = suites
    await SenderContext.create({ ...base, suite: ctr80 })
    await SenderContext.create({ ...base, suite: ctr64 })
  })

  it('is noted in one ledger for the whole program unless it is given another', async () => {
    const { ledger: _own, ...shared } = { ...base, baseKey: bytesOf(`shared, ${provider.name}`) }
    await SenderContext.create(shared)
    expect(await codeOf(() => SenderContext.create(shared))).toBe('kid-in-use')
  })

  it('is followed by one that begins behind its last counter, and by no other', async () => {
    const first = await SenderContext.create(base)
    for (let frame = 0; frame < 3; frame++) await first.encrypt(picture)
    const behind = () => SenderContext.create({ ...base, firstCounter: 3 })
    expect(await codeOf(behind)).toBe('kid-in-use')
    first.destroy()
    const early = { ...base, firstCounter: 2 }
    expect(await codeOf(() => SenderContext.create(early))).toBe('kid-in-use')
    const second = await behind()
    first.destroy()
    expect(decodeHeader(await second.encrypt(picture)).ctr).toBe(3)
    const third = { ...base, firstCounter: 4 }
    expect(await codeOf(() => SenderContext.create(third))).toBe('kid-in-use')
  })

  it('takes no counter when its epoch is destroyed before it has a key', async () => {
    const keys = { epoch: 300, baseKey }
    const stream = { context: 1, leaf: 7 }
    const gone = await EpochSecret.import(provider, suite, keys, ledger)
    const late = SenderContext.forEpoch(gone, stream)
    gone.destroy()
    const [outcome] = await Promise.allSettled([late])
    if (outcome.status === 'fulfilled') outcome.value.destroy()
    else expect(outcome.reason).toMatchObject({ code: 'key-deleted' })
    const epoch = await EpochSecret.import(provider, suite, keys, ledger)
    expect((await SenderContext.forEpoch(epoch, stream)).nextCounter).toBe(0)
  })
})
