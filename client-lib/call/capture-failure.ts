import { CaptureError } from '../media/capture.ts'
import type { CallError } from './types.ts'

/** @param error what opening a device or screen threw */
export function captureFailure(error: unknown): CallError {
  if (!(error instanceof CaptureError)) {
    const message = 'The devices could not be opened. Try again, or join without them.'
    return { code: 'internal', message, detail: String(error) }
  }
  return { code: codeOf(error), message: `${sentence(error.message)} ${error.advice}` }
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
