/**
 * What makes the first join of a page slow is not the cryptography but that its code is not loaded and
 * not compiled yet. A page that shows a form first has the time: here a group is founded and joined that
 * nobody is in, as often as it takes for an engine to compile what is used often.
 */

import type { SuiteName } from '../../moq/delivery/index.ts'
import { admitAll } from './authenticate.ts'
import { createIdentity, credentialOf, type Identity } from './identity.ts'
import { defaultMemberSettings } from './member-types.ts'
import { decodeGroupInfo } from './messages.ts'
import { MlsEngine } from './mls-engine.ts'
import { wipe } from './secrets.ts'

const ROUNDS = 3

/**
 * Loads and exercises a suite. Stops between two steps once it is not wanted any more: the real join is
 * not to wait for it.
 * @throws UnsupportedSuiteError
 */
export async function warmUpKeys(suite: SuiteName, isWanted: () => boolean): Promise<void> {
  const { maxMembers, baseKeyBytes } = defaultMemberSettings
  const engine = await MlsEngine.load(suite, { authenticate: admitAll, maxMembers })
  const identity = async (name: string): Promise<Identity> => {
    return createIdentity(credentialOf(name), engine.impl, await engine.generateSignatureKeys())
  }
  for (let round = 0; round < ROUNDS && isWanted(); round++) {
    const founding = await engine.create(await identity('a'))
    const newcomer = await identity('b')
    if (!isWanted()) return
    const info = decodeGroupInfo({ epoch: 0, logGroup: 0, suite, groupInfo: founding.groupInfo })
    const { state } = await engine.join(newcomer, info)
    await engine.exportKeys(state, baseKeyBytes)
    wipe(founding.state, state)
    wipe(state, null)
  }
}
