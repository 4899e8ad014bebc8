/** Gives the page of a test the store and what it needs to look behind it. */

import { IndexedDbStateStore } from '../../keys/indexeddb-state-store.ts'

declare global {
  var StateStore: typeof IndexedDbStateStore
}

globalThis.StateStore = IndexedDbStateStore
