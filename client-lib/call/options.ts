import { checkId, MediaFormatError } from '../../moq/media/index.ts'
import { MOST_DATA_BYTES } from '../chat/data.ts'
import { VIDEO_CODECS } from '../media/codecs.ts'
import type { CallError, JoinOptions } from './types.ts'

const MAX_NAME = 64
const CODEC_NAMES = VIDEO_CODECS.join(', ')
const MAX_SETTING_MS = 86_400_000
const LEAST_PATIENCE_MS = 1000
/** Below this not even the smallest picture is one. */
const LEAST_VIDEO_BITRATE = 30_000
const MOST_VIDEO_BITRATE = 100_000_000

/** The options of `joinCall` cannot be used; the message says which and why. */
export class CallOptionsError extends Error implements CallError {
  override readonly name = 'CallOptionsError'
  readonly code = 'invalid-options'
}

/**
 * Checks what an application gave.
 * @throws CallOptionsError
 */
export function checkOptions(options: JoinOptions): JoinOptions {
  const name = options.name.trim()
  if (name === '') throw new CallOptionsError('A name is needed: it is what the others see.')
  if (name.length > MAX_NAME) {
    throw new CallOptionsError(`The name is longer than ${MAX_NAME} characters.`)
  }
  checkRoom(options.room)
  checkUrl(options.url)
  for (const hash of options.certificateHashes ?? []) {
    if (!/^[0-9a-f]{64}$/i.test(hash)) {
      throw new CallOptionsError('A certificate hash is not 64 hexadecimal digits.')
    }
  }
  if (options.issuerKeys !== undefined && options.token === undefined) {
    throw new CallOptionsError('Members are to be known by tokens, and there is none for this one.')
  }
  checkBitrate(options.maxVideoBitrate)
  for (const codec of options.videoCodecs ?? []) {
    if (!VIDEO_CODECS.includes(codec)) {
      throw new CallOptionsError(
        `No video codec has this name: ${codec}. There are ${CODEC_NAMES}.`,
      )
    }
  }
  checkPatience(options.reconnectMs)
  for (const [name, ms] of Object.entries(options.keySettings ?? {})) {
    if (!(ms >= 0 && ms <= MAX_SETTING_MS)) {
      throw new CallOptionsError(`keySettings.${name} is no time in ms, up to a day: ${ms}`)
    }
  }
  const most = options.chatSettings?.maxDataBytes
  if (most !== undefined && !(Number.isInteger(most) && most >= 1 && most <= MOST_DATA_BYTES)) {
    throw new CallOptionsError(
      `chatSettings.maxDataBytes is no number of bytes, up to ${MOST_DATA_BYTES}: ${most}`,
    )
  }
  return { ...options, name }
}

function checkBitrate(bitrate: number | undefined): void {
  if (bitrate === undefined) return
  if (bitrate >= LEAST_VIDEO_BITRATE && bitrate <= MOST_VIDEO_BITRATE) return
  const bounds = `${LEAST_VIDEO_BITRATE} to ${MOST_VIDEO_BITRATE}`
  throw new CallOptionsError(`maxVideoBitrate is not from ${bounds} bits a second: ${bitrate}`)
}

function checkPatience(ms: number | undefined): void {
  if (ms === undefined || (ms >= LEAST_PATIENCE_MS && ms <= MAX_SETTING_MS)) return
  throw new CallOptionsError(`reconnectMs is no time in ms, from a second to a day: ${ms}`)
}

function checkRoom(room: string): void {
  try {
    checkId('room', room)
  } catch (error) {
    if (!(error instanceof MediaFormatError)) throw error
    throw new CallOptionsError(`The room cannot be used: its ${error.message}.`, { cause: error })
  }
}

function checkUrl(url: string): void {
  if (!URL.canParse(url) || new URL(url).protocol !== 'https:') {
    throw new CallOptionsError(`The relay's address is not an https:// URL: ${url}`)
  }
}
