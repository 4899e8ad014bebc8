import { nobleProvider, webCryptoProvider } from '../../sframe/index.ts'
import { nodeProvider } from '../../sframe/node.ts'
import { ABOUT_FRAMES, frameCases, headerCases } from './sframe-cases.ts'
import type { Subject } from './subject.ts'

/** SFrame by suite and provider, through the contexts that a call uses, in Node. */
export const sframe: Subject = {
  name: 'sframe',
  about: `one header parsed as a relay does; ${ABOUT_FRAMES}`,
  cases: async () => [
    ...headerCases(),
    ...(await frameCases([nodeProvider, webCryptoProvider, nobleProvider])),
  ],
}
