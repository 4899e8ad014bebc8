/** The session's suites over moqt-19: what is the same in both drafts is shown for both. */

import { describe } from 'vitest'
import { spoken } from './test-pair.ts'

spoken.version = 'moqt-19'

describe('over moqt-19', async () => {
  await import('./subscription.test.ts')
  await import('./updates.test.ts')
  await import('./publish.test.ts')
  await import('./tracks-subscription.test.ts')
  await import('./fetch-request.test.ts')
  await import('./incoming-fetch.test.ts')
  await import('./goaway.test.ts')
  await import('./migration.test.ts')
  await import('./limits.test.ts')
  await import('./tokens.test.ts')
  await import('./track-publisher.test.ts')
})
