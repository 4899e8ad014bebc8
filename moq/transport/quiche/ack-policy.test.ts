import { describe, expect, it } from 'vitest'
import { AckPolicy } from './ack-policy.ts'

const RTT = () => 10

/** One that has sent nothing for long. */
function quiet(): AckPolicy {
  const policy = new AckPolicy()
  policy.mustSend(0, true, RTT)
  return policy
}

describe('acknowledgements', () => {
  it('wait for a second packet where nothing else was sent of late', () => {
    const policy = quiet()
    policy.received()
    expect(policy.mustSend(1000, false, RTT)).toBe(false)
    policy.received()
    expect(policy.mustSend(1005, false, RTT)).toBe(true)
    expect(policy.dueAt).toBe(Number.POSITIVE_INFINITY)
    policy.received()
    expect(policy.mustSend(1006, false, RTT)).toBe(false)
  })

  it('wait no longer than 20 ms, counted from the first packet', () => {
    const policy = quiet()
    policy.received()
    expect(policy.mustSend(1000, false, RTT)).toBe(false)
    expect(policy.dueAt).toBe(1020)
    expect(policy.mustSend(1010, false, RTT)).toBe(false)
    expect(policy.dueAt).toBe(1020)
    expect(policy.mustSend(1020, false, RTT)).toBe(true)
  })

  it('go with what is sent anyhow', () => {
    const policy = quiet()
    policy.received()
    expect(policy.mustSend(1000, true, RTT)).toBe(true)
    expect(policy.dueAt).toBe(Number.POSITIVE_INFINITY)
  })

  it('do not wait while something that was sent may be under way still', () => {
    const policy = quiet()
    policy.mustSend(1000, true, RTT)
    policy.received()
    expect(policy.mustSend(1049, false, RTT)).toBe(true)
    policy.received()
    expect(policy.mustSend(1200, false, () => 100)).toBe(true)
    policy.received()
    expect(policy.mustSend(1300, false, () => 100)).toBe(false)
  })

  it('are due at no time when no packet came', () => {
    const policy = quiet()
    expect(policy.mustSend(1000, false, RTT)).toBe(false)
    expect(policy.dueAt).toBe(Number.POSITIVE_INFINITY)
  })
})
