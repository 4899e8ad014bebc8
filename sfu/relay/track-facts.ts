import type { Location } from '../../moq/wire/location.ts'
import type { Property } from '../../moq/wire/properties.ts'
import { NO_DEFAULTS, type TrackDefaults, trackDefaults } from './track-defaults.ts'

/** What the relay knows of a track from its publishers, and tells its subscribers. */
export class TrackFacts {
  properties: readonly Property[] = []
  defaults: TrackDefaults = NO_DEFAULTS
  /** -1: nothing was published yet. */
  largestGroup = -1
  private largestObject = -1

  /** What a LARGEST_OBJECT tells (draft-18 section 10.2.11). */
  get largest(): Location | null {
    if (this.largestGroup < 0) return null
    return { group: this.largestGroup, object: this.largestObject }
  }

  /**
   * A publisher's properties replace those of another (section 2.5), unless they change the default
   * priority: streams and datagrams inherit the one that subscribers were told.
   * @param first nobody published the track before
   * @returns whether they were taken over
   */
  learn(properties: readonly Property[], first: boolean): boolean {
    const defaults = trackDefaults(properties)
    if (!first && defaults.priority !== this.defaults.priority) return false
    this.properties = properties
    this.defaults = defaults
    return true
  }

  /** An object was told of or came; the largest never goes down. @returns whether its group is new */
  note(at: Location): boolean {
    if (at.group < this.largestGroup) return false
    if (at.group === this.largestGroup) {
      if (at.object > this.largestObject) this.largestObject = at.object
      return false
    }
    this.largestGroup = at.group
    this.largestObject = at.object
    return true
  }

  /** Another history begins. */
  forgetObjects(): void {
    this.largestGroup = -1
    this.largestObject = -1
  }
}
