import { EpochSecret, ReceiverContext, SenderContext, suites } from './index.ts'
import { nodeProvider as provider } from './node.ts'

const suite = suites.AES_256_GCM_SHA512_128

/** What MLS exported for epoch 7, given to a sender (leaf 3) and to everybody else. */
export async function example(baseKey: Uint8Array, frame: Uint8Array): Promise<Uint8Array> {
  const epoch = await EpochSecret.import(provider, suite, { epoch: 7, baseKey })
  const video = await SenderContext.forEpoch(epoch, { context: 1, leaf: 3 })

  const receiver = new ReceiverContext({ provider, suite })
  await receiver.installEpoch({ epoch: 7, baseKey, ownLeaf: 0 })
  baseKey.fill(0) // both have taken what they need

  // Sent beside the frame, readable by the relay, changeable by nobody.
  const metadata = new TextEncoder().encode('room/alice/video/0 group 12 object 5')
  const ciphertext = await video.encrypt(frame, metadata)
  return receiver.decrypt(ciphertext, metadata, 'room/alice/video/0')
}
