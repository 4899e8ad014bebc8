/** The relay's suites over moqt-19: what is the same in both drafts is shown for both. */

import { describe } from 'vitest'
import { spoken } from './test-world.ts'

spoken.version = 'moqt-19'

describe('over moqt-19', async () => {
  await import('./relay.test.ts')
  await import('./publish.test.ts')
  await import('./publishers.test.ts')
  await import('./namespaces.test.ts')
  await import('./narrowing.test.ts')
  await import('./switchover.test.ts')
  await import('./track-state.test.ts')
  await import('./relayed-subgroup.test.ts')
  await import('./fetch.test.ts')
})
