import { describe, expect, it } from 'vitest'
import type { MediaProperties } from '../../moq/media/index.ts'
import { GapJudge } from './gap-judge.ts'

const NO_GAP = { ahead: 0, behind: 0 }

function media(
  temporal: number,
  baseIndex: number,
  fragment?: { index: number; count: number },
): MediaProperties {
  return {
    frameMarking: {
      start: true,
      end: true,
      independent: false,
      discardable: false,
      layer: { temporal, spatial: 0, baseIndex, baseSync: false },
    },
    ...(fragment && { fragment }),
  }
}

/** Of three layers; the top one came at time 0 and belongs to base frame 1. */
function flowing() {
  const judge = new GapJudge(3)
  const base = (now: number, baseIndex: number, group = 5) =>
    judge.judge(now, { group, subgroup: 0 }, media(0, baseIndex)).gap
  const datagram = (now: number, temporal: number, baseIndex: number, group = 5) =>
    judge.judge(now, { group, subgroup: null }, media(temporal, baseIndex)).gap
  base(0, 1)
  datagram(0, 2, 1)
  return { judge, base, datagram }
}

describe('a judge of gaps', () => {
  it('calls a gap between objects behind one base frame a loss while the top layer flows', () => {
    const { datagram, base } = flowing()
    expect(datagram(60, 2, 1)).toBe('missed')
    expect(base(130, 2)).toBe('missed')
    expect(datagram(140, 1, 2)).toBe('missed')
  })

  it('calls whole frames left out once the top layer does not come any more', () => {
    const { datagram, base } = flowing()
    expect(base(200, 2)).toBe('missed')
    expect(base(300, 3)).toBe('left-out')
    expect(datagram(310, 1, 3)).toBe('left-out')
    // It is back: what is missing from now on is a loss again.
    expect(datagram(320, 2, 3)).toBe('missed')
  })

  it('leaves a gap open in which the base frame may be, which repairs itself', () => {
    const { datagram, base } = flowing()
    expect(datagram(140, 2, 2)).toBe('unclear')
    expect(base(150, 2)).toBe('missed')
    expect(datagram(160, 2, 2)).toBe('missed')
    expect(datagram(165, 2, 1)).toBe('unclear')
  })

  it('asks for nothing behind a base frame that is lost', () => {
    const { base } = flowing()
    expect(base(60, 4)).toBe('left-out')
  })

  it('begins anew with each group, and leaves the one before alone', () => {
    const { datagram, base } = flowing()
    expect(datagram(50, 2, 9, 6)).toBe('unclear')
    expect(base(60, 9, 6)).toBe('missed')
    expect(datagram(70, 2, 9, 6)).toBe('missed')
    expect(datagram(71, 2, 1, 5)).toBe('left-out')
  })

  it('knows the other fragments of a frame', () => {
    const { judge } = flowing()
    const fragment = { index: 1, count: 4 }
    expect(judge.judge(10, { group: 5, subgroup: null }, media(2, 1, fragment))).toEqual({
      ahead: 1,
      behind: 2,
      gap: 'missed',
    })
  })

  it('does not take for a flow of the top layer what comes because it was asked for', () => {
    const { judge, base } = flowing()
    const fragment = { index: 1, count: 2 }
    expect(judge.judgeRepaired(media(2, 1, fragment))).toEqual({
      ahead: 1,
      behind: 0,
      gap: 'unclear',
    })
    expect(base(300, 2)).toBe('left-out')
  })

  it('asks for nothing of a track without layers, or whose layers come on streams', () => {
    const plain = new GapJudge(1)
    expect(plain.judge(0, { group: 0, subgroup: 0 }, {})).toEqual({ gap: 'left-out' })
    const streams = new GapJudge(3)
    streams.judge(0, { group: 0, subgroup: 0 }, media(0, 1))
    expect(streams.judge(5, { group: 0, subgroup: 2 }, media(2, 1))).toEqual({
      ...NO_GAP,
      gap: 'left-out',
    })
  })
})
