/**
 * How far a join has come: ms since `joinCall` for each step, null for what has not happened yet. Steps
 * that do not wait for each other may come in another order.
 */
export interface JoinTimes {
  /** The way to the relay is open: WebTransport or WebSocket. */
  readonly transport: number | null
  /** Both sides have sent SETUP. */
  readonly connected: number | null
  /** The delivery service has told what there is of the room's group. */
  readonly groupInfo: number | null
  /** We are in the group, and have the keys of its epoch. */
  readonly keys: number | null
  /** The relay, or the publisher, has accepted our subscription to a picture. */
  readonly subscribed: number | null
  /** The first object of a picture came. */
  readonly firstObject: number | null
  /** The first picture of somebody else's is decoded. */
  readonly firstDecoded: number | null
  /** It is given to the canvas that shows it. */
  readonly firstPicture: number | null
  /** The first sound of somebody else's is decoded. */
  readonly firstSound: number | null
  /** The first sound goes to the loudspeaker, which browsers may hold back until the page was touched. */
  readonly firstHeard: number | null
}

export type JoinStep = keyof JoinTimes

/** Keeps the times of a join, which begins when this is made. */
export class JoinTimeline {
  private readonly joinedAt = performance.now()
  private readonly times: { -readonly [Step in JoinStep]: number | null } = {
    transport: null,
    connected: null,
    groupInfo: null,
    keys: null,
    subscribed: null,
    firstObject: null,
    firstDecoded: null,
    firstPicture: null,
    firstSound: null,
    firstHeard: null,
  }

  constructor() {
    performance.mark('sotto:join', { startTime: this.joinedAt })
  }

  /** As of now. */
  get snapshot(): JoinTimes {
    return { ...this.times }
  }

  /** The first time counts. @param at ms, as `performance.now()` */
  reached(step: JoinStep, at = performance.now()): void {
    if (this.times[step] !== null) return
    const startTime = Math.max(this.joinedAt, at)
    this.times[step] = Math.round(startTime - this.joinedAt)
    // For developer tools, and whoever measures.
    performance.mark(`sotto:${step}`, { startTime })
  }
}
