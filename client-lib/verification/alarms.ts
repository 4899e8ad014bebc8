/** What can be wrong with a participant, by name and in words. */

export const alarmTexts = {
  fork:
    'Forked group: this participant has other keys than you for the same call. ' +
    'The server may have split the call to listen in.',
  'fork-merged':
    'Forked and merged group: for a while this participant had other keys than you. ' +
    'The server may have listened in then.',
  ghost: 'Ghost member: it has the keys of the call but does not show itself. It may be listening.',
  'log-differs':
    'Differing logs: the server told this participant another story than you of who came and left.',
  'epoch-differs':
    'Held back: you and this participant do not get to the same keys. ' +
    'The server may be keeping one of you from hearing who came or left.',
  unconfirmed:
    'Unconfirmed: this participant is heard of but does not confirm that it has the same keys. ' +
    'The server may be keeping that from you.',
} as const

/** What comparing the group with a participant found, by name; `Participant.alarms` says it in words. */
export type AlarmName = keyof typeof alarmTexts

/** Worst first. */
export const alarmNames = Object.keys(alarmTexts) as AlarmName[]
