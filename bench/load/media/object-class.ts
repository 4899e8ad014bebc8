/** What figures are kept apart by: sound, the temporal layers of cameras, and screens. */

export const OBJECT_CLASSES = ['audio', 'video-t0', 'video-t1', 'video-t2', 'screen'] as const

export type ObjectClass = (typeof OBJECT_CLASSES)[number]

/** Position of a class in arrays of one value a class. */
export const CLASS_INDEX: Readonly<Record<ObjectClass, number>> = {
  audio: 0,
  'video-t0': 1,
  'video-t1': 2,
  'video-t2': 3,
  screen: 4,
}

const VIDEO_CLASSES = ['video-t0', 'video-t1', 'video-t2'] as const

/** @param temporalLayer of a camera's frame; 0..2 */
export function objectClassOf(
  kind: 'audio' | 'video' | 'screen',
  temporalLayer: number,
): ObjectClass {
  return kind === 'video' ? VIDEO_CLASSES[Math.min(temporalLayer, 2)]! : kind
}
