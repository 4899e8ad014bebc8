import { CaptureError } from '../media/capture.ts'
import type { CallError } from './types.ts'

/** @param error what opening a device or screen threw */
export function captureFailure(error: unknown): CallError {
  if (!(error instanceof CaptureError)) {
    return { code: 'internal', message: 'The devices could not be opened.', detail: String(error) }
  }
  const message = `${sentence(error.message)} ${error.advice}`
  switch (error.code) {
    case 'permission-denied':
    case 'no-device':
    case 'device-busy':
      return { code: error.code, message }
    case 'unsupported':
    case 'insecure-page':
      return { code: 'browser-too-old', message }
    default:
      return { code: 'device-busy', message }
  }
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}
