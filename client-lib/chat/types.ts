/** A text that we sent. */
export interface ChatText {
  /** Counts up from 1. */
  readonly id: number
  /** As it was sent: normalized, without what is not shown. */
  readonly text: string
  /** ms since 1970. */
  readonly sentAt: number
}

/** A text of somebody else's. */
export interface ReceivedText extends ChatText {
  /** Participant id. */
  readonly from: string
}

/** How far a text of ours has come. */
export interface ChatDelivery {
  readonly id: number
  /** Receivers that have acknowledged it. */
  readonly delivered: number
  /** Receivers that were there when it was sent, without those who have left since without it. */
  readonly of: number
}
