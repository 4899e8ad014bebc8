import { describe, expect, it } from 'vitest'
import { parseConditions } from './conditions.ts'

describe('parseConditions', () => {
  it('takes what is named, with units', () => {
    expect(parseConditions('rate=1.5m,delay=40,jitter=10,loss=0.02,queue=64k')).toEqual({
      rate: 1_500_000,
      delayMs: 40,
      jitterMs: 10,
      loss: 0.02,
      queueBytes: 64_000,
    })
    expect(parseConditions('rate=none')).toEqual({ rate: Number.POSITIVE_INFINITY })
    expect(parseConditions('')).toEqual({})
  })

  it.each([
    ['speed=1', 'speed is none of rate, delay'],
    ['rate=', 'nothing is no rate'],
    ['rate=-1', '-1 is no rate'],
    ['delay=none', 'none is no delayMs'],
    ['loss=2', '2 is no loss'],
    ['constructor=1', 'constructor is none of'],
  ])('says what is wrong with %s', (text, reason) => {
    expect(() => parseConditions(text)).toThrow(reason)
  })
})
