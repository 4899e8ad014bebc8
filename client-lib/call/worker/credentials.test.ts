import { describe, expect, it } from 'vitest'
import { decodeAuthorizationToken } from '../../../moq/wire/parameters.ts'
import type { Property } from '../../../moq/wire/properties.ts'
import { TokenType } from '../../../moq/wire/token-types.ts'
import { fingerprint } from '../../keys/index.ts'
import { makeSignatureKeys } from '../../keys/seat.ts'
import type { ReadToken } from '../token.ts'
import { Credentials } from './credentials.ts'
import type { TokenAnswer } from './token-renewal.ts'

const keys = await makeSignatureKeys('classical')
const seat = { keys, thumbprint: fingerprint(keys.publicKey) }
const tokenFor = (thumbprint: string | null): ReadToken => {
  return { text: 'a.b.c', participant: 'ada', expires: 1, thumbprint }
}
const credentialsOf = (token: ReadToken | null) =>
  new Credentials({ seat, token, room: 'demo', wallClock: () => 0 })
const presented = (options: readonly Property[]) =>
  options.map(({ value }) => decodeAuthorizationToken(value as Uint8Array))

describe('what we are let in with', () => {
  it('is a bearer token as it is to the relay, and never to the other members', async () => {
    const credentials = credentialsOf(tokenFor(null))
    expect(presented(await credentials.setup())).toMatchObject([{ type: TokenType.JWT }])
    expect(credentials.identity).toEqual({ token: null })
    expect(credentials.fault).toBeNull()
  })

  it('is a token that is bound to our key to both, and a proof of it to the relay', async () => {
    const credentials = credentialsOf(tokenFor(seat.thumbprint))
    const [token, proof] = presented(await credentials.setup())
    expect(token).toMatchObject({ type: TokenType.JWT })
    expect(proof).toMatchObject({ type: TokenType.KEY_PROOF })
    expect(credentials.identity).toEqual({ token: 'a.b.c', signatureKeys: keys })
  })

  it('is nothing without a token', async () => {
    expect(await credentialsOf(null).setup()).toEqual([])
    expect(credentialsOf(null).identity).toEqual({ token: null })
  })

  it('is no token that is bound to another key', async () => {
    const other = tokenFor('x'.repeat(43))
    expect(credentialsOf(other).fault?.code).toBe('token-refused')
    expect(credentialsOf(other).identity).toEqual({ token: null })
    const answers: TokenAnswer[] = []
    const taken: string[] = []
    const session = null as never
    const credentials = credentialsOf(tokenFor(seat.thumbprint))
    await credentials.bring(
      session,
      other,
      (answer) => answers.push(answer),
      (text) => taken.push(text),
    )
    expect(answers).toMatchObject([{ reason: 'it is bound to another key' }])
    expect(taken).toEqual([])
  })
})
