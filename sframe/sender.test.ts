import { describe, expect, it } from 'vitest'
import { decodeHeader } from './header.ts'
import { EpochSecret, mlsKid } from './mls.ts'
import { ReceiverContext } from './receiver.ts'
import { MAX_SEND_COUNTER, SenderContext } from './sender.ts'
import { suites } from './suites.ts'
import { bytesOf, codeOf, hex, providers } from './testing.ts'

const suite = suites.AES_256_GCM_SHA512_128
const baseKey = new Uint8Array(32).fill(1)
const picture = bytesOf('a picture')

describe.each(providers)('sender with $name', (provider) => {
  const base = { provider, suite, kid: 9, baseKey }

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
    const twin = await SenderContext.create(base)
    owned.fill(0)
    const last = sender.encrypt(picture)
    sender.destroy()
    expect(await last).toEqual(await twin.encrypt(picture))
    expect(await codeOf(() => sender.encrypt(picture))).toBe('key-deleted')
  })

  it('is given out once for each stream of an epoch', async () => {
    const epoch = await EpochSecret.import(provider, suite, { epoch: 300, baseKey })
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
})
