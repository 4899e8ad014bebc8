/** Reads a track's frames as they come and hands each over; the receiver closes it. */

export interface Closable {
  close(): void
}

/**
 * Reads until the stream ends or `signal` aborts, which also cancels the stream. Rejects only when the
 * stream fails. A frame that comes with the abort is closed here.
 */
export async function readTrack<T extends Closable>(
  readable: ReadableStream<T>,
  onFrame: (frame: T) => void,
  signal: AbortSignal,
): Promise<void> {
  const reader = readable.getReader()
  const cancel = (): void => {
    // The source may be gone already; there is nobody to tell.
    reader.cancel().catch(() => {})
  }
  signal.addEventListener('abort', cancel, { once: true })
  if (signal.aborted) cancel()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      if (signal.aborted) value.close()
      else onFrame(value)
    }
  } finally {
    signal.removeEventListener('abort', cancel)
    reader.releaseLock()
  }
}
