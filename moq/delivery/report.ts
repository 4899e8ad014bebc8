/**
 * Reports: how a group gets rid of a commit that the delivery service took and members cannot apply.
 *
 * The service sees a handshake's public part and no more: not whether the path secrets are the right
 * ones, nor whether the confirmation tag is. Members do, so they say so:
 *
 * - A *report* names an epoch and the hash of the commit that made it. It is signed with the key of
 *   the reporter's leaf in the epoch before (SignWithLabel of RFC 9420 section 5.1.2 with
 *   `REPORT_LABEL` over `reportContent`), so that the service cannot invent one.
 * - *Who may report*: those who held a leaf before the commit and were to apply it. Not the committer,
 *   not whom the commit removes (they cannot apply it and would gain by it), not who joined by it.
 * - *When it counts*: while the service can go back, that is for a short time after the commit.
 * - *The rule*: when more than half of those who may report and are still there have done so, the
 *   commit is skipped, and whatever was made on top of it. A `skipped` entry with the reports is in the
 *   log, and the committer may not commit for a while, longer each time. Somebody who commits on top
 *   says thereby that it was good, and no longer may report.
 *
 * Fewer than a majority skip nothing: a commit that only some cannot apply costs those a new join (an
 * external commit in the place of their leaf), and a member that lies about good commits needs half of
 * the group for its lie. Where just one member may report, in a group of two, its word is enough: that
 * one could stop the other by its silence as well, and here the log names it.
 *
 * A member that applied a commit goes back only for a `skipped` entry whose signatures it has checked
 * to be those of a majority of the members that it knows: else the service could undo a removal. If it
 * kept no state of the epoch before, it joins anew. Who joined on top takes the commits of before it came
 * from the log: they are what it joined on if they give the transcript hash of the GroupInfo that it had;
 * the entry has what that takes. After a skipped external commit the GroupInfo is
 * suspect (nobody but members can check its external_pub), so some member then makes an empty commit;
 * members also look at the external_pub of what newcomers are given (`client-lib/keys/door-check.ts`).
 */

import { Writer } from '../wire/writer.ts'

/** SHA-256. */
export const COMMIT_HASH_BYTES = 32
/** Of every suite that rooms use, with room for others. */
export const MAX_SIGNATURE_BYTES = 128
/** In one `skipped` entry: more than a group has members. */
export const MAX_REPORTS = 1024
/** In one `skipped` entry: more than a service can go back. */
export const MAX_UNDONE = 64
/** SHA-512. */
export const MAX_TRANSCRIPT_BYTES = 64
/** What SignWithLabel puts before it is "MLS 1.0 ". */
export const REPORT_LABEL = 'Sotto Skip Report'

/** What a report's signature is over. */
export function reportContent(groupId: Uint8Array, epoch: number, hash: Uint8Array): Uint8Array {
  return new Writer(groupId.length + hash.length + 24)
    .lengthPrefixed(groupId)
    .vi64(epoch)
    .lengthPrefixed(hash)
    .finish()
}
