/** Chooses and loads a QUIC engine. Only the chosen one's native part is loaded. */

import { type Engine, EngineError, type EngineOptions } from './engine.ts'

export * from './engine.ts'
export * from './target.ts'

export type EngineKind = 'auto' | 'fails' | 'quiche'

const HOW_TO_INSTALL =
  'install @fails-components/webtransport-transport-http3-quiche (maintained, any platform) ' +
  `or @matrixai/quic-${process.platform}-${process.arch}`

/**
 * Starts an engine. `auto` takes the native HTTP/3 of fails-components where it is installed, else
 * quiche.
 * @throws EngineError if the engine is not installed, the port is taken or the certificate is bad
 */
export async function createEngine(kind: EngineKind, options: EngineOptions): Promise<Engine> {
  switch (kind) {
    case 'fails':
      return startFails(options)
    case 'quiche':
      return startQuiche(options)
    case 'auto': {
      if (await isEngineInstalled('fails')) return startFails(options)
      if (await isEngineInstalled('quiche')) return startQuiche(options)
      throw new EngineError(`no QUIC engine is installed: ${HOW_TO_INSTALL}`)
    }
  }
}

/** Whether the native part of an engine is installed for this platform. */
export async function isEngineInstalled(kind: 'fails' | 'quiche'): Promise<boolean> {
  if (kind === 'fails') return (await import('./fails/index.ts')).failsNativeInstalled()
  return (await import('../../moq/transport/quiche/binding.ts')).quicheInstalled()
}

async function startFails(options: EngineOptions): Promise<Engine> {
  if (!(await isEngineInstalled('fails'))) {
    throw new EngineError(
      'the engine fails is not installed: install @fails-components/webtransport-transport-http3-quiche',
    )
  }
  return (await import('./fails/index.ts')).createFailsEngine(options)
}

async function startQuiche(options: EngineOptions): Promise<Engine> {
  return (await import('./quiche/index.ts')).createQuicheEngine(options)
}
