import { describe, expect, it } from 'vitest'
import { PICTURES, verificationEmoji } from './emoji.ts'
import { EMOJI } from './emoji-list.ts'

const authenticator = Uint8Array.from({ length: 64 }, (_, i) => i)

describe('the verification emoji', () => {
  it('are 64 pictures with 64 names, so that each stands for 6 bits', () => {
    expect(EMOJI).toHaveLength(64)
    expect(new Set(EMOJI.map(({ symbol }) => symbol)).size).toBe(64)
    expect(new Set(EMOJI.map(({ name }) => name)).size).toBe(64)
    for (const { symbol, name } of EMOJI) {
      expect(symbol).toMatch(/^\p{Emoji_Presentation}$|^\p{Emoji}\uFE0F$/u)
      expect(name).toMatch(/^[a-z]+( [a-z]+)?$/)
    }
  })

  it('are the same for the same epoch authenticator, today and tomorrow', async () => {
    const names = (await verificationEmoji(authenticator)).map(({ name }) => name)
    expect(names).toHaveLength(PICTURES)
    expect(names).toEqual(KNOWN)
  })

  it('are others for another epoch', async () => {
    const other = authenticator.slice()
    other[63]! ^= 1
    expect(await verificationEmoji(other)).not.toEqual(await verificationEmoji(authenticator))
  })
})

/** `pbkdf2Sync(authenticator, 'Sotto verification emoji 1', 200_000, 12, 'sha512')`, modulo 64. */
const KNOWN = [
  ...['elephant', 'butterfly', 'strawberry', 'glasses', 'bicycle', 'turtle'],
  ...['sun', 'telephone', 'mushroom', 'lemon', 'banana', 'pig'],
]
