/** Data of one message that a receiver takes, whatever its sender's setting, bytes. */
export const MOST_DATA_BYTES = 64 * 1024
/** Of one message unless the application asks for another size. */
export const DEFAULT_DATA_BYTES = 16 * 1024
export const MAX_TOPIC_BYTES = 64

const utf8 = new TextEncoder()

export function isTopic(topic: string): boolean {
  if (topic.length > MAX_TOPIC_BYTES || !topic.isWellFormed()) return false
  return utf8.encode(topic).length <= MAX_TOPIC_BYTES
}
