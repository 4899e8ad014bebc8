/**
 * Whether all who are in a call are in the same group, compared by their programs all the time and,
 * where they want to, by the people themselves.
 *
 * **What for.** The delivery service orders the handshakes of a room's MLS group and is not trusted
 * (RFC 9750 section 5.2). It holds no key, but it chooses what each member gets to see. With that it
 * can *fork* the group (let one commit win for some and another for the rest), keep a fork unnoticed by
 * *merging* it again (who cannot follow joins anew), hide a *ghost* member that only listens, or
 * *equivocate*: show some members entries of the log that others never see.
 *
 * **What is compared.** Each member publishes a *statement* on its `verify` track: at every change, to
 * every newcomer, and about once a second. It has a row for each of the last epochs that the member has
 * been in: a hash of the MLS group id, the epoch, a hash of the epoch authenticator (RFC 9420 section
 * 8.7), and a hash of the log entries seen for it. Equal authenticators mean equal group contexts: the
 * same tree, the same members and keys, the same transcript of commits (RFC 9420 sections 8 and 8.1).
 * So no hash of the roster or of the commits is needed beside it. The log's hash is for what is not in
 * the transcript: notices.
 *
 * **Signed, not encrypted.** Members of different forks have different SFrame keys; what one cannot
 * decrypt says nothing to it. But their leaf signature keys are from before the fork, or are known
 * from their joining. So a statement is signed with the leaf's key, and travels in the clear. The
 * relay learns from it that a participant is in an epoch, which it orders itself, and whether two
 * members agree, which is its own doing if they do not. A hash of an authenticator, which has at least
 * 256 bits of entropy, tells nothing of it, nor of the digits and emoji: those are made under labels of
 * their own. Log tags are keyed with the authenticator, so that the service cannot search for two logs
 * with one tag. The sequence number keeps old statements from being shown again.
 *
 * **What raises which alarm**
 *
 * | Attack | What the others see | Alarm |
 * | --- | --- | --- |
 * | fork | two authenticators for one epoch; a participant under a key that our group has not | `fork` |
 * | fork, then merged | the same now, two authenticators for an epoch before | `fork-merged` |
 * | ghost | a member of the group whom the relay does not announce | `ghost` |
 * | equivocating log | the same keys, other entries | `log-differs` |
 * | log held back | epochs that stay apart | `epoch-differs` |
 * | statements held back | media come, statements do not | `unconfirmed` |
 *
 * Whoever holds back media as well as statements has cut off the participant: that is seen anyway.
 * Each alarm has a patience, because honest members differ while news is under way; all are raised
 * within 5 s, but for a member that was announced and is not any more: the group itself removes it
 * after its grace period, 10 s by default, so it counts as a ghost 2 s later.
 *
 * **Commits that are taken back.** Members who had applied one that most others cannot apply go back and
 * join anew (`moq/delivery/report.ts`); the epochs that they leave are no fork. They strike them from
 * their history only when they have checked the signatures of most of those who were to apply it: what
 * the service alone says would let it have a fork forgotten. Who joined on top of the commit checks so
 * against the GroupInfo that it joined from (`client-lib/keys/skip-proof.ts`). As the others hear of it
 * sooner, and make the epoch anew, what was said of its keys up to 2 s after that is not held against
 * anybody.
 *
 * **What it cannot see.** A service that sits in the middle from the first moment, with a group for
 * each side and the participant's names on keys of its own, agrees with everybody. Against that stand
 * what people compare: the code of the epoch as digits or `verificationEmoji`, the `safetyNumber` of
 * two participants, and admission tokens that bind keys. A member that lies about its own history
 * raises an alarm about itself. A log that breaks off suspends the comparison of notices, not of keys,
 * for 10 s; the history goes back 24 epochs.
 */

export { type AlarmName, alarmNames, alarmTexts } from './alarms.ts'
export { verificationEmoji } from './emoji.ts'
export type { Emoji } from './emoji-list.ts'
export { groupNotices, type NoticeName, type VerificationLevel } from './group-notices.ts'
export {
  type HistoricEpoch,
  VerificationHistory,
  type VerificationHistoryOptions,
} from './history.ts'
export type { VerificationEvent, VerificationEventKind } from './history-event.ts'
export { type KeyHolder, safetyNumber } from './safety-number.ts'
export type { LeafSignatures } from './signatures.ts'
export { repeatMs } from './speaker.ts'
export type { Stretch } from './stretch.ts'
export { type VerifiedEpoch, Verifier, type VerifierOptions } from './verifier.ts'
