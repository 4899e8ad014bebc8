import { CaptureError } from '../media/capture/errors.ts'
import type { CallError } from './types.ts'

/**
 * @param error what opening a device or screen threw
 * @param device absent: camera and microphone alike
 */
export function captureFailure(error: unknown, device?: CallError['device']): CallError {
  const which = device === undefined ? {} : { device }
  if (!(error instanceof CaptureError)) {
    const message = 'The devices could not be opened. Try again, or go on without them.'
    return { code: 'internal', message, detail: String(error), ...which }
  }
  const message = `${sentence(error.message)} ${error.advice}`
  return { code: codeOf(error), message, ...which }
}

/** The device that was in use is gone, and none could take its place. */
export function deviceLost(error: unknown, device: 'camera' | 'microphone'): CallError {
  const isGone = error instanceof CaptureError && codeOf(error) === 'no-device'
  // It may also be that it is not allowed any more.
  if (!isGone) return captureFailure(error, device)
  const message = `The ${device} was disconnected. Connect it again and turn it on, or choose another one.`
  return { code: 'device-lost', message, device }
}

export function speakerUnsupported(): CallError {
  const message =
    'This browser plays sound where the system says. Choose the speaker in the settings of the system.'
  return { code: 'speaker-unsupported', message, device: 'speaker' }
}

function codeOf({ code }: CaptureError): CallError['code'] {
  switch (code) {
    case 'permission-denied':
    case 'no-device':
    case 'device-busy':
    case 'insecure-page':
      return code
    case 'constraints':
      return 'no-device'
    case 'unsupported':
      return 'browser-too-old'
    case 'failed':
      return 'internal'
  }
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}
