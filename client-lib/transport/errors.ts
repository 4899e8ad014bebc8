/** Why a connection could not be made. */
export type ConnectErrorCode =
  | 'aborted'
  | 'invalid-url'
  | 'timeout'
  | 'unreachable'
  | 'unsupported'
  | 'version'

/** A failed `connect`. `message` is a sentence that can be shown and says what to do. */
export class ConnectError extends Error {
  readonly code: ConnectErrorCode

  constructor(code: ConnectErrorCode, host: string, options?: ErrorOptions) {
    super(sentence(code, host), options)
    this.name = 'ConnectError'
    this.code = code
  }
}

function sentence(code: ConnectErrorCode, host: string): string {
  switch (code) {
    case 'aborted':
      return 'Connecting was cancelled.'
    case 'invalid-url':
      return 'The address of the server is not a valid https URL. Check the link.'
    case 'timeout':
      return `The server ${host} does not answer. Check your network, then try again.`
    case 'unreachable':
      return `The server ${host} cannot be reached. Check your network and the link, then try again.`
    case 'unsupported':
      return 'This browser has no WebTransport. Use a current browser, or allow WebSocket.'
    case 'version':
      return `The server ${host} speaks another version. Reload the page, or ask who runs it to update.`
  }
}
