import type { CallError } from './types.ts'

/** What a call cannot do without, by the names under which browsers have it, each with what it is for. */
const NEEDED = [
  ['Worker', 'workers'],
  ['crypto.subtle', 'encryption (WebCrypto)'],
  ['VideoEncoder', 'video encoding (WebCodecs)'],
  ['VideoDecoder', 'video decoding (WebCodecs)'],
  ['AudioEncoder', 'sound encoding (WebCodecs)'],
  ['AudioDecoder', 'sound decoding (WebCodecs)'],
  ['AudioWorkletNode', 'audio worklets'],
] as const

/** What this browser lacks for a call, for a person; null when it has all. */
function missingFeature(scope: object): string | null {
  for (const [path, name] of NEEDED) if (!has(scope, path)) return name
  return null
}

/** Why there can be no call in this page at all, or null. */
export function pageUnfit(scope: object): CallError | null {
  if (Reflect.get(scope, 'isSecureContext') === false) {
    const message =
      'Browsers make calls only in pages from https:// or from this machine. Open the page over https://.'
    return { code: 'insecure-page', message }
  }
  const missing = missingFeature(scope)
  return missing === null ? null : browserTooOld(missing)
}

function browserTooOld(missing: string): CallError {
  const message = `This browser is too old for calls: it has no ${missing}. Update it, or use another one.`
  return { code: 'browser-too-old', message }
}

function has(scope: object, path: string): boolean {
  let value: unknown = scope
  for (const name of path.split('.')) {
    if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return false
    value = Reflect.get(value, name)
  }
  return value !== undefined
}
