/** What there is to be seen of a call: each participant, and beside it the screen that it shares. */

import type { Participant, PictureSource } from '../../index.ts'

export interface Picture {
  readonly source: PictureSource
  readonly participant: Participant
}

/** In the order of the participants; our own screen is not among them: we see it anyway. */
export function picturesOf(participants: readonly Participant[]): Picture[] {
  return participants.flatMap((participant) => {
    const { local, tracks } = participant
    const shares = !local && tracks.some(({ kind }) => kind === 'screen')
    const sources: PictureSource[] = shares ? ['camera', 'screen'] : ['camera']
    return sources.map((source) => ({ source, participant }))
  })
}

/** Names a picture among all of a call. */
export function keyOf(picture: {
  readonly source: PictureSource
  readonly participant: Pick<Participant, 'id'>
}): string {
  return `${picture.source} ${picture.participant.id}`
}

/** What a picture is called: its owner, and whose screen. */
export function titleOf({ source, participant: { name, local } }: Picture): string {
  const who = local ? `${name} (you)` : name || 'Somebody'
  return source === 'screen' ? `Screen of ${who}` : who
}
