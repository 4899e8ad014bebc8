/** What our own membership tells of itself, by code: how grave that is, and in words. */

import type { AlarmCode } from '../keys/member-types.ts'

/** What our own membership told of, by name: `VerificationEvent.text` says it in words. */
export type NoticeName = AlarmCode

/**
 * How grave something is. `info`: as it should be. `check`: most likely nothing bad, but the code is to be compared again. `alarm`:
 * somebody may be listening, or tries to.
 */
export type VerificationLevel = 'info' | 'check' | 'alarm'

interface Notice {
  readonly level: VerificationLevel
  /** What happened, what it means, and what to do. */
  readonly text: string
}

const CANNOT_JOIN =
  'What the server gave to join from was refused, and is asked for anew. ' +
  'If it goes on, do not use this server.'

export const groupNotices: Readonly<Record<NoticeName, Notice>> = {
  'group-replaced': {
    level: 'check',
    text:
      'The server has no record of this group any more, as after a restart, and a new one is made. ' +
      'Everybody joins it with the key that they had before; who has another key is named here. ' +
      'Compare the code again.',
  },
  rejoining: {
    level: 'check',
    text:
      'This page missed a change of the group, and joins it again. ' +
      'A bad connection does that; so does a server that holds something back. Compare the code again.',
  },
  removed: {
    level: 'alarm',
    text:
      'Somebody took you out of the group though you were here, and you join again. ' +
      'The server may have told the others that you had gone. Compare the code again; ' +
      'if it goes on, meet in another room.',
  },
  'commit-skipped': {
    level: 'check',
    text: 'A change of the group was taken back, as not everybody could apply it. Compare the code again.',
  },
  'suite-adopted': {
    level: 'check',
    text:
      'This room is encrypted in another way than this page asked for, as whoever opened it chose. ' +
      'The way is named below; if it will not do, meet in another room.',
  },
  'no-answer': {
    level: 'check',
    text:
      'The server takes no new keys at the moment. Until it does, who leaves the call could still ' +
      'decrypt it. It is tried again by itself.',
  },
  internal: {
    level: 'check',
    text: 'Something went wrong in this page while it handled keys. Compare the code again.',
  },
  contention: {
    level: 'info',
    text: 'Many people come and go at once; agreeing on keys takes longer than usual.',
  },
  'state-not-kept': {
    level: 'info',
    text: 'This browser keeps no keys over a reload: after one you join with a new key.',
  },
  'not-a-member': {
    level: 'info',
    text: 'Something was asked of the group while you were not in it.',
  },
  'commit-disputed': {
    level: 'alarm',
    text:
      'The server passed on a change of the group that is not allowed or cannot be read: ' +
      'somebody may have tried to come in with a forged key. It was not applied, and the others were told. ' +
      'Compare the code before you say anything secret.',
  },
  'skip-refused': {
    level: 'alarm',
    text:
      'The server wants a change of the group to be forgotten that most members never objected to. ' +
      'It may want to hide that it split the call. Compare the code, and who has the keys, with everybody.',
  },
  malformed: {
    level: 'alarm',
    text:
      'The server sent something about the group that cannot be read. It was ignored. ' +
      'If it goes on, do not use this server.',
  },
  'commit-invalid': {
    level: 'alarm',
    text:
      'The server passed on a change of the group that is not allowed. It was ignored. ' +
      'If it goes on, do not use this server.',
  },
  'group-info-invalid': { level: 'alarm', text: CANNOT_JOIN },
  'identity-refused': {
    level: 'alarm',
    text:
      'Somebody in the group does not prove who they are, so this page does not join it yet. ' +
      'If it goes on, meet in another room.',
  },
  'suite-mismatch': { level: 'alarm', text: CANNOT_JOIN },
  'suite-unsupported': { level: 'alarm', text: CANNOT_JOIN },
  'too-many-members': {
    level: 'alarm',
    text: 'The group has more members than this page takes. Ask who let them in.',
  },
  replaced: {
    level: 'alarm',
    text: 'Another page took your place in the call, with your key. If it was not you, tell the others.',
  },
}
