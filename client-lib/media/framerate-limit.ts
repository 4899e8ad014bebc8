/**
 * Fewer frames than the camera gives, evenly spaced: by the times of the capture, which are not quite
 * even themselves.
 */
export class FramerateLimit {
  /** When the next frame is due, µs of the capture's clock. */
  private due: number | null = null

  /**
   * Whether a frame is to be encoded.
   * @param timestamp of the capture, µs
   * @param framerate frames a second that are wanted
   */
  takes(timestamp: number, framerate: number): boolean {
    const spacing = 1e6 / framerate
    // Another camera counts from elsewhere, and a pause is not made up for.
    if (this.due === null || Math.abs(timestamp - this.due) > 2 * spacing) this.due = timestamp
    if (timestamp < this.due - spacing / 4) return false
    this.due += spacing
    return true
  }
}
