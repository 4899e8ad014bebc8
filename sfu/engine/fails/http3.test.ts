import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { makeSelfSigned } from '../../certificate/index.ts'
import { createFailsEngine, failsNativeInstalled } from './index.ts'

const installed = await failsNativeInstalled()
const reason = installed
  ? ''
  : ': skipped, @fails-components/webtransport-transport-http3-quiche is not installed'

describe.skipIf(!installed)(`createFailsEngine${reason}`, () => {
  it('listens on a UDP port and frees it', async () => {
    const { cert, key } = await makeSelfSigned([], Date.now())
    const engine = await createFailsEngine({
      host: '127.0.0.1',
      port: 0,
      certificate: { certPem: cert, keyPem: key },
      protocols: ['moqt-18'],
      accept: (request) => ({ accept: true, protocol: request.protocol }),
      onSession() {},
      log: { debug() {}, info() {}, warn() {} },
      clock: { now: () => performance.now() },
      randomBytes: (length) => randomBytes(length),
    })
    expect(engine.name).toBe('fails')
    expect(engine.address.port).toBeGreaterThan(0)
    expect(engine.stats().sessions).toBe(0)
    await engine.close()
  })
})
