import { roundedSize, type Wish } from '../../../moq/media/index.ts'
import type { WatchPlan } from '../plan.ts'

const MIDDLE = 128
const SOURCES = ['camera', 'screen'] as const
const KIND_OF = { camera: 'video', screen: 'screen' } as const

/** Every picture that is watched, as large as it is sent. */
export function wishesOf(watches: readonly WatchPlan[]): Wish[] {
  const wishes: Wish[] = []
  for (const { participant, tracks } of watches) {
    for (const source of SOURCES) {
      const kind = KIND_OF[source]
      const pictures = tracks.flatMap((track) => (track.kind === kind ? [track] : []))
      if (pictures.length === 0) continue
      wishes.push({
        participant,
        source,
        width: roundedSize(Math.max(...pictures.map(({ width }) => width))),
        height: roundedSize(Math.max(...pictures.map(({ height }) => height))),
        framerate: 0,
        priority: MIDDLE,
        pinned: false,
        hidden: false,
      })
    }
  }
  return wishes
}
