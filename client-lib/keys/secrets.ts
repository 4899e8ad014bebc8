/**
 * Deleting what a group's state holds. States of consecutive epochs share buffers (the signature key,
 * path keys that did not change), so only what the newer state does not use is overwritten.
 */

import type { ClientState } from 'ts-mls'

/**
 * Drops what a room never uses: the secret tree and sender data (media goes by SFrame, handshakes are
 * public messages), the resumption secret, past epochs, and keys of nodes that are now blank.
 */
export function trim(state: ClientState): ClientState {
  for (const { handshake, application } of state.secretTree) {
    handshake.secret.fill(0)
    application.secret.fill(0)
  }
  state.keySchedule.senderDataSecret.fill(0)
  state.keySchedule.resumptionPsk.fill(0)
  const privateKeys: Record<number, Uint8Array> = {}
  for (const [node, key] of Object.entries(state.privatePath.privateKeys)) {
    if (state.ratchetTree[Number(node)] !== undefined) privateKeys[Number(node)] = key
  }
  return {
    ...state,
    secretTree: [],
    historicalReceiverData: new Map(),
    privatePath: { ...state.privatePath, privateKeys },
  }
}

/** The exporter secret is of no use once an epoch's base key is out. */
export function forgetExporter(state: ClientState): void {
  state.keySchedule.exporterSecret.fill(0)
}

/** Overwrites a state that is over. `successor` is the state that lives on, if any. */
export function wipe(state: ClientState, successor: ClientState | null): void {
  for (const secret of Object.values(state.keySchedule) as Uint8Array[]) secret.fill(0)
  const alive = new Set(Object.values(successor?.privatePath.privateKeys ?? {}))
  for (const key of Object.values(state.privatePath.privateKeys)) {
    if (!alive.has(key)) key.fill(0)
  }
}
