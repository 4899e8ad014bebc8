/**
 * The three functions of the Reflect Metadata proposal that the dependency container below
 * `@peculiar/x509` asks for when it is loaded. Nothing is replaced where they already exist.
 * Import this before `@peculiar/x509`.
 */

type Metadata = Map<unknown, unknown>

const stored = new WeakMap<object, Metadata>()

const additions = {
  defineMetadata(key: unknown, value: unknown, target: object): void {
    const metadata: Metadata = stored.get(target) ?? new Map()
    metadata.set(key, value)
    stored.set(target, metadata)
  },
  getOwnMetadata(key: unknown, target: object): unknown {
    return stored.get(target)?.get(key)
  },
  getMetadata(key: unknown, target: object): unknown {
    for (let owner: object | null = target; owner !== null; owner = Object.getPrototypeOf(owner)) {
      if (stored.get(owner)?.has(key)) return stored.get(owner)?.get(key)
    }
    return undefined
  },
}

for (const [name, value] of Object.entries(additions)) {
  if (name in Reflect) continue
  Object.defineProperty(Reflect, name, { value, configurable: true, writable: true })
}
