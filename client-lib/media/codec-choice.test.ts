import { describe, expect, it } from 'vitest'
import { CodecChoice } from './codec-choice.ts'

const ALL = ['vp8', 'h264', 'vp9', 'av1'] as const

describe('CodecChoice', () => {
  it('takes VP8 where nothing else is preferred', () => {
    const choice = new CodecChoice()
    choice.setEncodable(ALL, 0)
    choice.setReceivers([[...ALL], [...ALL]], 0)
    expect(choice.codec).toBe('vp8')
  })

  it('takes the first that we can encode and everybody can decode', () => {
    const choice = new CodecChoice(['av1', 'vp9', 'vp8'])
    choice.setEncodable(['vp8', 'vp9', 'h264'], 0)
    expect(choice.codec).toBe('vp9')
    choice.setReceivers(
      [
        ['vp8', 'vp9', 'av1'],
        ['vp8', 'av1'],
      ],
      0,
    )
    expect(choice.codec).toBe('vp8')
  })

  it('takes one that was not preferred before it takes one that somebody cannot decode', () => {
    const choice = new CodecChoice(['av1', 'vp9'])
    choice.setEncodable(ALL, 0)
    choice.setReceivers([['h264']], 0)
    expect(choice.codec).toBe('h264')
  })

  it('goes back to a preferred codec after 20 s, and stays when that was not given', () => {
    const choice = new CodecChoice(['vp9', 'vp8'])
    choice.setEncodable(ALL, 0)
    choice.setReceivers([['vp8']], 0)
    choice.setReceivers([['vp8', 'vp9']], 1000)
    expect(choice.update(11_000)).toBe(10_000)
    choice.setReceivers([['vp8', 'vp9'], ['vp8']], 12_000)
    choice.setReceivers([['vp8', 'vp9']], 13_000)
    expect(choice.update(32_999)).toBe(1)
    expect(choice.codec).toBe('vp8')
    expect(choice.update(33_000)).toBeNull()
    expect(choice.codec).toBe('vp9')
  })

  it('changes freely while nobody watches, and keeps something where nothing suits all', () => {
    const choice = new CodecChoice(['vp9', 'vp8'])
    choice.setEncodable(['vp8'], 0)
    expect(choice.codec).toBe('vp8')
    choice.setEncodable(ALL, 1)
    expect(choice.codec).toBe('vp9')
    choice.setReceivers([['hevc']], 2)
    expect(choice.codec).toBe('vp9')
    choice.setEncodable([], 3)
    expect(choice.codec).toBe('vp9')
  })
})
