/** A text that we sent. */
export interface ChatText {
  /** Counts up from 1, texts and data together. */
  readonly id: number
  /** As it was sent: normalized, without what is not shown. */
  readonly text: string
  /** ms since 1970. */
  readonly sentAt: number
}

/** Data that we sent. */
export interface ChatData {
  /** Counts up from 1, texts and data together. */
  readonly id: number
  /** What it is about, for the application; may be empty. */
  readonly topic: string
  /** ms since 1970. */
  readonly sentAt: number
}

/** Data of somebody else's. Authentic, but made by its sender: check it like anything from outside. */
export interface ReceivedData extends ChatData {
  /** Participant id. */
  readonly from: string
  /** Nobody else's: the receiver may keep and change it. */
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** A text of somebody else's. */
export interface ReceivedText extends ChatText {
  /** Participant id. */
  readonly from: string
}

/** How far a text or data of ours has come. */
export interface ChatDelivery {
  readonly id: number
  /** Receivers that have acknowledged it. */
  readonly delivered: number
  /** Receivers that were there when it was sent, without those who have left since without it. */
  readonly of: number
}
