/** What can go wrong with a call, as a person is told of it. */

import type { CloseInfo } from '../../../moq/transport/transport.ts'
import type { RequestError } from '../../../moq/wire/messages.ts'
import { type KeysError, UnsupportedSuiteError } from '../../keys/index.ts'
import type { MediaError } from '../../media/media-error.ts'
import { ConnectError, type ConnectErrorCode } from '../../transport/errors.ts'
import type { CallError } from '../types.ts'
import type { CaptureDevice } from './local-media.ts'
import { tokenErrorOfRequest, tokenErrorOfSession } from './token-errors.ts'

const CONNECT_CODES: Readonly<Record<ConnectErrorCode, CallError['code']>> = {
  aborted: 'relay-unreachable',
  'invalid-url': 'invalid-options',
  timeout: 'relay-unreachable',
  unreachable: 'relay-unreachable',
  unsupported: 'browser-too-old',
  version: 'version-unsupported',
}

/** @param error what `connect` threw */
export function connectFailed(error: unknown): CallError {
  if (error instanceof ConnectError) {
    return { code: CONNECT_CODES[error.code], message: error.message }
  }
  const message = 'The connection could not be made. Reload the page, and join again.'
  return { code: 'internal', message, detail: String(error) }
}

/** The relay refused what a call cannot do without. */
export function relayRefused({ code, reason }: RequestError, hasToken: boolean): CallError {
  const ofToken = tokenErrorOfRequest(code, reason, hasToken)
  const message = `The relay refused the call: ${reason}. Try again later, or ask who runs it.`
  return ofToken ?? { code: 'relay-refused', message }
}

export function connectionLost({ by, code, reason }: CloseInfo, hasToken: boolean): CallError {
  const ofToken = by === 'peer' ? tokenErrorOfSession(code, reason, hasToken) : null
  return (
    ofToken ?? {
      code: 'disconnected',
      message: 'The connection to the relay was lost. Check your network, then join again.',
      detail: `closed by ${by}: ${reason} (${code})`,
    }
  )
}

export function keysFailed(error: KeysError): CallError {
  const detail = `${error.code}: ${error.message}`
  if (error instanceof UnsupportedSuiteError) {
    const message = `This room is encrypted with the suite “${error.suite}”, which this browser or this version of the page does not support. Update the browser, and reload the page.`
    return { code: 'suite-unsupported', message, detail }
  }
  const message =
    'The encryption keys of this room could not be agreed on. Join again; if it goes on, take another room.'
  return { code: 'keys-failed', message, detail }
}

/** Keys that the application gave, to check tokens with or of our own, cannot be imported. */
export function keysUnusable(error: unknown): CallError {
  const message = 'The keys that tokens are checked with, or our own, cannot be used.'
  return { code: 'invalid-options', message, detail: String(error) }
}

export function stateNotKept(fault: unknown): CallError {
  const message = 'This browser keeps no state of the call: after a reload you join it anew.'
  return { code: 'internal', message, detail: String(fault) }
}

export function codecFailed(error: MediaError): CallError {
  const message =
    'A codec failed and was started again. If that goes on, reload the page or use another browser.'
  return { code: 'internal', message, detail: error.message }
}

/** @param track the rendition that could not be encoded */
export function renditionWithdrawn(track: string, error: MediaError): CallError {
  const message = 'One size of your picture cannot be encoded here. The others are still sent.'
  return { code: 'internal', message, detail: `${track}: ${error.message}` }
}

export function captureFailed(device: CaptureDevice, error: unknown): CallError {
  if (device === 'screen') {
    const message = 'Your screen cannot be captured any more. Share it again.'
    return { code: 'internal', message, detail: String(error), device }
  }
  return {
    code: 'no-device',
    device,
    message: `The ${device} stopped working. Turn it off and on again, or choose another one.`,
    detail: String(error),
  }
}

const WENT_WRONG = 'Something went wrong in the call. If it does not go on, leave and join again.'

/** A bug of ours. */
export function wentWrong(error: unknown): CallError {
  const detail = error instanceof Error ? `${error.message}\n${error.stack}` : String(error)
  return { code: 'internal', message: WENT_WRONG, detail }
}
