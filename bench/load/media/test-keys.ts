/**
 * Keys of synthetic rooms. They are made of names, and so known to anybody: what is sent under them is
 * noise with a time in it. The relay is not told them.
 */

import { createHash } from 'node:crypto'
import { EpochSecret, ReceiverContext, suites } from '../../../sframe/index.ts'
import { nodeProvider } from '../../../sframe/node.ts'

const LOAD_SUITE = suites.AES_256_GCM_SHA512_128

function testBaseKey(room: string, epoch: number): Uint8Array {
  const hash = createHash('sha512').update(`sotto bench ${epoch} ${room}`).digest()
  return Uint8Array.from(hash.subarray(0, LOAD_SUITE.keyLength))
}

/** What senders of a room derive their keys from. */
export async function testEpochSecret(room: string, epoch: number): Promise<EpochSecret> {
  const baseKey = testBaseKey(room, epoch)
  return await EpochSecret.import(nodeProvider, LOAD_SUITE, { epoch, baseKey })
}

/** A receiver that knows these epochs. @param leaf its own leaf index */
export async function testReceiver(
  room: string,
  epochs: readonly number[],
  leaf: number,
): Promise<ReceiverContext> {
  const receiver = new ReceiverContext({ provider: nodeProvider, suite: LOAD_SUITE })
  for (const epoch of epochs) {
    await receiver.installEpoch({ epoch, baseKey: testBaseKey(room, epoch), ownLeaf: leaf })
  }
  return receiver
}
