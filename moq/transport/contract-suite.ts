/**
 * What every transport must do, as tests: the same suite runs against the in-memory pair, the W3C
 * adapter and each engine. An implementation that passes can carry MoQT.
 */

import { afterEach, beforeEach, describe } from 'vitest'
import { type ContractFactory, ContractRig } from './contract-rig.ts'
import { defineSessionTests } from './contract-session.ts'
import { defineStreamTests } from './contract-streams.ts'

export type { ContractFactory, ContractFeatures, ContractPair } from './contract-rig.ts'

/** Defines the suite under `name`; a fresh pair is made for each test. */
export function describeTransportContract(name: string, factory: ContractFactory): void {
  describe(`${name} keeps the transport contract`, () => {
    const rig = new ContractRig(factory)
    beforeEach(() => rig.connect())
    afterEach(() => rig.dispose())
    defineSessionTests(rig)
    defineStreamTests(rig)
  })
}
