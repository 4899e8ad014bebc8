export type ChatErrorCode =
  /** Nothing that could be shown. */
  | 'empty'
  | 'too-long'
  | 'too-fast'
  /** There is no call, or there are no keys yet. */
  | 'not-connected'

const sentences: Readonly<Record<ChatErrorCode, string>> = {
  empty: 'There is nothing to send.',
  'too-long': 'The text is too long to be sent at once.',
  'too-fast': 'That were many texts at once. Wait a moment, then send this one again.',
  'not-connected': 'The call is not connected, so nothing can be sent.',
}

/** A text was not sent. The message is a sentence for a person. */
export class ChatError extends Error {
  override readonly name = 'ChatError'
  readonly code: ChatErrorCode

  constructor(code: ChatErrorCode) {
    super(sentences[code])
    this.code = code
  }
}
