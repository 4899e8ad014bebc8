/** Every code of an error, from what brings it about to what a person reads. */

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { RequestCode, SessionCode } from '../../moq/wire/codes.ts'
import { KeysError, UnsupportedSuiteError } from '../keys/index.ts'
import { CaptureError, explain } from '../media/capture/errors.ts'
import { ConnectError } from '../transport/errors.ts'
import type { CallError, CallErrorCode } from './call-error.ts'
import { captureFailure, deviceLost, speakerUnsupported } from './capture-failure.ts'
import { pageUnfit } from './missing-feature.ts'
import { CallOptionsError, checkOptions } from './options.ts'
import { askForToken } from './token.ts'
import * as errors from './worker/call-errors.ts'

const ofDevice = (name: string) =>
  captureFailure(explain(new DOMException('of the browser', name), 'camera or microphone'))
const refused = (code: number, hasToken = true) =>
  errors.relayRefused(
    { type: 'REQUEST_ERROR', code, retryAfterMs: null, reason: 'the room is full' },
    hasToken,
  )
const closed = (code: number, hasToken = true) =>
  errors.connectionLost({ by: 'peer', code, reason: 'why' }, hasToken)
const wrongOptions = () => {
  try {
    checkOptions({ url: 'https://relay.example', room: 'demo', name: ' ' })
  } catch (error) {
    if (error instanceof CallOptionsError) return error
  }
  throw new Error('nothing was wrong')
}

/** The compiler asks for every code. */
const SITUATIONS: Readonly<Record<CallErrorCode, readonly (readonly [CallError, RegExp])[]>> = {
  'permission-denied': [
    [ofDevice('NotAllowedError'), /Allow it .* address bar/],
    [ofDevice('SecurityError'), /Allow it/],
  ],
  'no-device': [
    [ofDevice('NotFoundError'), /Connect one, or go on without it/],
    [ofDevice('OverconstrainedError'), /Choose another device/],
    [errors.captureFailed('camera', new Error('unplugged')), /Turn it off and on again/],
  ],
  'device-busy': [[ofDevice('NotReadableError'), /Close other programs/]],
  'device-lost': [
    [deviceLost(new CaptureError('no-device', 'none', 'Connect one.'), 'camera'), /Connect it/],
  ],
  'speaker-unsupported': [[speakerUnsupported(), /settings of the system/]],
  'insecure-page': [
    [pageUnfit({ isSecureContext: false })!, /Open the page over https/],
    [captureFailure(new CaptureError('insecure-page', 'no', 'Open it over https.')), /Open/],
  ],
  'browser-too-old': [
    [pageUnfit({ Worker: class {} })!, /no encryption \(WebCrypto\)\. Update it/],
    [captureFailure(new CaptureError('unsupported', 'no X', 'Use a current one.')), /No X.*Use/],
    [errors.connectFailed(new ConnectError('unsupported', 'r')), /no WebTransport\. Use/],
  ],
  'relay-unreachable': [
    [errors.connectFailed(new ConnectError('timeout', 'relay.example')), /Check your network/],
    [errors.connectFailed(new ConnectError('unreachable', 'relay.example')), /and the link/],
  ],
  'relay-refused': [[refused(RequestCode.EXCESSIVE_LOAD), /the room is full\. Try again later/]],
  'version-unsupported': [
    [errors.connectFailed(new ConnectError('version', 'relay.example')), /Reload the page/],
  ],
  'token-required': [
    [refused(RequestCode.UNAUTHORIZED, false), /Open the link/],
    [closed(SessionCode.UNAUTHORIZED, false), /Open the link/],
  ],
  'token-refused': [
    [refused(RequestCode.UNAUTHORIZED), /the room is full\. Ask for a new/],
    [closed(SessionCode.MALFORMED_AUTH_TOKEN), /Ask for a new/],
  ],
  'token-expired': [
    [refused(RequestCode.EXPIRED_AUTH_TOKEN), /Ask for a new/],
    [closed(SessionCode.EXPIRED_AUTH_TOKEN), /Ask for a new/],
  ],
  disconnected: [[closed(SessionCode.NO_ERROR), /Check your network, then join again/]],
  'keys-failed': [[errors.keysFailed(new KeysError('no-answer', 'silence')), /Join again/]],
  'suite-unsupported': [
    [
      errors.keysFailed(new UnsupportedSuiteError('p256', new Error('no P-256'))),
      /“p256”.*Update the browser/,
    ],
  ],
  'invalid-options': [
    [wrongOptions(), /A name is needed/],
    [errors.connectFailed(new ConnectError('invalid-url', '')), /Check the link/],
    [errors.keysUnusable(new Error('no key')), /cannot be used/],
  ],
  internal: [
    [ofDevice('WhateverError'), /Try again, or go on without it/],
    [captureFailure(new Error('a bug')), /Try again/],
    [errors.connectFailed(new Error('a bug')), /Reload the page/],
    [errors.wentWrong(new Error('a bug')), /leave and join again/],
  ],
}

describe.each(Object.entries(SITUATIONS))('the error %s', (code, situations) => {
  it('comes of what it is named after, and says what to do', () => {
    for (const [error, advice] of situations) {
      expect(error.code).toBe(code)
      expect(error.message).toMatch(advice)
      expect(error.message).toMatch(/^[A-Z][^\n]*\.$/)
    }
  })

  it('is in the table of the README', () => {
    const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
    expect(readme).toContain(`| \`${code}\` |`)
  })
})

describe('a token that the application is asked for', () => {
  it('and has not, or that cannot be read, is told by codes of their own', async () => {
    const request = { thumbprint: '', participant: null }
    const none = await askForToken(
      () => Promise.reject(new Error('503')),
      request,
      'There is none.',
    )
    expect(none).toMatchObject({ code: 'token-required', detail: 'Error: 503' })
    const unreadable = await askForToken(async () => 'x', request, 'There is none.')
    expect(unreadable).toMatchObject({ code: 'token-refused' })
  })
})
