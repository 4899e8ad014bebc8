/** Why a text or data was not sent. */
export type ChatErrorCode =
  /** Nothing that could be shown. */
  | 'empty'
  | 'too-long'
  | 'too-fast'
  /** More data than one message may have. */
  | 'too-large'
  /** Longer than 64 bytes of UTF-8, or not well-formed. */
  | 'bad-topic'
  /** There is no call, or there are no keys yet. */
  | 'not-connected'

const sentences: Readonly<Record<ChatErrorCode, string>> = {
  empty: 'There is nothing to send.',
  'too-long': 'The text is too long to be sent at once.',
  'too-fast': 'That was a lot at once. Wait a moment, then send this one again.',
  'too-large': 'This is more data than can be sent at once.',
  'bad-topic': 'The topic of the data is too long, or is no well-formed text.',
  'not-connected': 'The call is not connected, so nothing can be sent.',
}

/** A text or data was not sent. The message is a sentence for a person. */
export class ChatError extends Error {
  override readonly name = 'ChatError'
  readonly code: ChatErrorCode

  constructor(code: ChatErrorCode) {
    super(sentences[code])
    this.code = code
  }
}
