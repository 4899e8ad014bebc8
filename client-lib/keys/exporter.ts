/**
 * What an application exports from an epoch (RFC 9420 section 8.5). It comes from a secret of its own,
 * itself exported, so that the epoch's exporter secret need not be kept: what is kept here tells nothing
 * of the keys of media.
 */

import { type CiphersuiteImpl, mlsExporter } from 'ts-mls'

const ROOT_LABEL = 'Sotto Exporter'
const NO_CONTEXT = new Uint8Array(0)

export class EpochExporter {
  readonly epoch: number
  private readonly root: Uint8Array
  private readonly suite: CiphersuiteImpl

  private constructor(epoch: number, root: Uint8Array, suite: CiphersuiteImpl) {
    this.epoch = epoch
    this.root = root
    this.suite = suite
  }

  static async from(
    epoch: number,
    exporterSecret: Uint8Array,
    suite: CiphersuiteImpl,
  ): Promise<EpochExporter> {
    const root = await mlsExporter(exporterSecret, ROOT_LABEL, NO_CONTEXT, suite.kdf.size, suite)
    return new EpochExporter(epoch, root, suite)
  }

  /** The same for every member of the epoch; the caller owns it. @param length in bytes */
  secret(label: string, context: Uint8Array, length: number): Promise<Uint8Array> {
    return mlsExporter(this.root, label, context, length, this.suite)
  }

  /** Overwrites the secret; what is asked for afterwards is worthless. */
  destroy(): void {
    this.root.fill(0)
  }
}
