/** MLSMessage bytes of a peer's, decoded whole or refused. */

import { decodeMlsMessage, type GroupInfo, type MLSMessage, type PublicMessage } from 'ts-mls'
import { type CommitEntry, mlsSuites, type Snapshot } from '../../moq/delivery/index.ts'
import { KeysError, type KeysErrorCode } from './errors.ts'
import type { HeldCommit } from './held-commits.ts'

/** @throws KeysError `commit-invalid` */
export function decodeCommit(bytes: Uint8Array): PublicMessage {
  const message = decodeWhole(bytes, 'commit-invalid')
  if (message.wireformat !== 'mls_public_message') {
    throw new KeysError('commit-invalid', `${message.wireformat} in the log`)
  }
  return message.publicMessage
}

/** @throws KeysError `commit-invalid` also when it does not make the entry's epoch */
export function readCommit({ commit: bytes, epoch }: CommitEntry): HeldCommit {
  const message = decodeCommit(bytes)
  if (message.content.epoch !== BigInt(epoch) - 1n) {
    const detail = `commit on epoch ${message.content.epoch} in the entry of epoch ${epoch}`
    throw new KeysError('commit-invalid', detail)
  }
  return { epoch, bytes, message }
}

/** @throws KeysError `group-info-invalid` or `suite-mismatch` unless it is what the snapshot says */
export function decodeGroupInfo(snapshot: Snapshot): GroupInfo {
  const message = decodeWhole(snapshot.groupInfo, 'group-info-invalid')
  if (message.wireformat !== 'mls_group_info') {
    throw new KeysError('group-info-invalid', `${message.wireformat} as group info`)
  }
  const { cipherSuite, epoch } = message.groupInfo.groupContext
  if (cipherSuite !== mlsSuites[snapshot.suite]) {
    throw new KeysError('suite-mismatch', `${cipherSuite} in a room of ${snapshot.suite}`)
  }
  if (epoch !== BigInt(snapshot.epoch)) {
    throw new KeysError('group-info-invalid', `epoch ${epoch}, said to be ${snapshot.epoch}`)
  }
  return message.groupInfo
}

/** ts-mls decoders both throw and return undefined. */
function decodeWhole(bytes: Uint8Array, code: KeysErrorCode): MLSMessage {
  let decoded: [MLSMessage, number] | undefined
  try {
    decoded = decodeMlsMessage(bytes, 0)
  } catch (error) {
    throw new KeysError(code, 'not an MLS message', error)
  }
  if (decoded === undefined || decoded[1] !== bytes.length) {
    throw new KeysError(code, 'not an MLS message')
  }
  return decoded[0]
}
