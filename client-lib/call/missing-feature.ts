import type { CallError } from './types.ts'

/** What a call cannot do without, by the names under which browsers have it, each with what it is for. */
const NEEDED = [
  ['Worker', 'workers'],
  ['crypto.subtle', 'encryption (WebCrypto, on pages of https: or localhost)'],
  ['VideoEncoder', 'video encoding (WebCodecs)'],
  ['VideoDecoder', 'video decoding (WebCodecs)'],
  ['AudioEncoder', 'sound encoding (WebCodecs)'],
  ['AudioDecoder', 'sound decoding (WebCodecs)'],
  ['AudioWorkletNode', 'audio worklets'],
] as const

/** What this browser lacks for a call, for a person; null when it has all. */
export function missingFeature(scope: object): string | null {
  for (const [path, name] of NEEDED) if (!has(scope, path)) return name
  return null
}

/** @param missing as of `missingFeature` */
export function browserTooOld(missing: string): CallError {
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
