/** What can be wrong with a participant, by name and in words. */

/** What happened, what it may mean, and what to do. */
export const alarmTexts = {
  fork:
    'Forked group: this participant has other keys than you for the same call. ' +
    'The server may have split the call to listen in. ' +
    'Say nothing secret, and compare the code by phone or face to face; if it differs, leave.',
  'fork-merged':
    'Forked and merged group: for a while this participant had other keys than you. ' +
    'The server may have listened in then. ' +
    'Take it that others heard what was said, and compare the code before you go on.',
  ghost:
    'Ghost member: it has the keys of the call but does not show itself. It may be listening. ' +
    'Say nothing secret until it has left; if nobody knows who it is, meet in another room.',
  'log-differs':
    'Differing logs: the server told this participant another story than you of who came and left. ' +
    'Compare with it who has the keys, and the code; if they differ, leave.',
  'epoch-differs':
    'Held back: you and this participant do not get to the same keys. ' +
    'The server may be keeping one of you from hearing who came or left. ' +
    'If it does not pass within a minute, join again, both of you.',
  unconfirmed:
    'Unconfirmed: this participant is heard of but does not confirm that it has the same keys. ' +
    'The server may be keeping that from you. Compare the code with it.',
} as const

/** What comparing the group with a participant found, by name; `Participant.alarms` says it in words. */
export type AlarmName = keyof typeof alarmTexts

/** Worst first. */
export const alarmNames = Object.keys(alarmTexts) as AlarmName[]

/** A few words. */
export function alarmTitle(name: AlarmName): string {
  return alarmTexts[name].split(':', 1)[0]!
}
