/** Every way in which a call can fail that is told, by code. */
export type CallErrorCode =
  /** The person, the browser or the system does not let this page use a device. */
  | 'permission-denied'
  /** There is no such device, or it is gone. */
  | 'no-device'
  /** A device is there and does not start: mostly another program has it. */
  | 'device-busy'
  /** The device in use was disconnected, and no other could take its place: it is off now. */
  | 'device-lost'
  /** This browser plays sound where the system says, and nowhere else. */
  | 'speaker-unsupported'
  /** The page was not loaded over HTTPS, nor from this machine. */
  | 'insecure-page'
  /** The browser lacks what the message names. */
  | 'browser-too-old'
  /** No connection to the relay was to be had. */
  | 'relay-unreachable'
  /** The relay refused the call, for a reason of its own. */
  | 'relay-refused'
  /** The relay speaks another version of the protocol. */
  | 'version-unsupported'
  /** The relay wants a token, and the application gave none. */
  | 'token-required'
  /** The relay does not take the token, or took it back. */
  | 'token-refused'
  | 'token-expired'
  /** The connection was lost, and not to be had again for `JoinOptions.reconnectMs`. */
  | 'disconnected'
  /** The members of the room could not agree on keys with us. */
  | 'keys-failed'
  /** The room is encrypted in a way that this browser, or this version of the page, does not know. */
  | 'suite-unsupported'
  /** What the application gave cannot be used. */
  | 'invalid-options'
  /** A fault of the library's, or one that it does not know. */
  | 'internal'

/** What went wrong, and what a person can do about it. */
export interface CallError {
  readonly code: CallErrorCode
  /** For a person: what happened, and what to do. */
  readonly message: string
  /** Which device it is about; absent: none, or camera and microphone alike. */
  readonly device?: 'camera' | 'microphone' | 'speaker' | 'screen'
  /** For logs. */
  readonly detail?: string
}
