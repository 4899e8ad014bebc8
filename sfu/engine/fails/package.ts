/** Loads `@fails-components/webtransport`, and says whether its native HTTP/3 part is installed. */

export type FailsPackage = typeof import('@fails-components/webtransport')
export type FailsHttpServer = InstanceType<FailsPackage['HttpServer']>

/** What the package prints, as it loads, where its optional native part is not installed. */
const NOISE = [
  'Problem loading http3-quiche transport',
  'Did you install @fails-components/webtransport-transport-http3-quiche?',
  'http3 loader:',
]

let loading: Promise<FailsPackage> | null = null

export function loadFailsPackage(): Promise<FailsPackage> {
  loading ??= load()
  return loading
}

export async function failsNativeInstalled(): Promise<boolean> {
  const name: string = '@fails-components/webtransport-transport-http3-quiche'
  try {
    await import(name)
    return true
  } catch {
    return false
  }
}

/** The native part is optional, so its absence is no news: the package's lines on it are dropped. */
async function load(): Promise<FailsPackage> {
  const { console } = globalThis
  const { error, log } = console
  const unlessNoise =
    (print: typeof log): typeof log =>
    (...parts) => {
      if (!NOISE.includes(String(parts[0]))) print.apply(console, parts)
    }
  console.error = unlessNoise(error)
  console.log = unlessNoise(log)
  try {
    const loaded = await import('@fails-components/webtransport')
    // Settles, without an error, once the native part is loaded or found missing.
    await loaded.quicheLoaded
    await new Promise((resolve) => setImmediate(resolve))
    return loaded
  } finally {
    console.error = error
    console.log = log
  }
}
