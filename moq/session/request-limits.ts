import type { RequestMessage } from '../wire/messages.ts'
import type { FullTrackName, Namespace } from '../wire/names.ts'
import type { Property } from '../wire/properties.ts'
import { vi64Size } from '../wire/vi64.ts'
import type { SessionLimitName, SessionLimits } from './limits.ts'

/** The limit that a request breaks by itself, and a sentence for its REQUEST_ERROR; null: none. */
export function brokenLimit(
  message: RequestMessage,
  limits: SessionLimits,
): { readonly limit: SessionLimitName; readonly reason: string } | null {
  const name = nameBytes(message)
  if (name > limits.maxNameBytes) {
    const reason = `a name of ${name} bytes, at most ${limits.maxNameBytes} here`
    return { limit: 'maxNameBytes', reason }
  }
  if (message.type !== 'PUBLISH') return null
  const properties = propertiesBytes(message.properties)
  if (properties <= limits.maxPropertiesBytes) return null
  const reason = `track properties of ${properties} bytes, at most ${limits.maxPropertiesBytes} here`
  return { limit: 'maxPropertiesBytes', reason }
}

/** About what properties take, in bytes: what they would, were each type coded in full. */
export function propertiesBytes(properties: readonly Property[]): number {
  let size = 0
  for (const { type, value } of properties) {
    size += vi64Size(type)
    size += value instanceof Uint8Array ? vi64Size(value.length) + value.length : vi64Size(value)
  }
  return size
}

function nameBytes(message: RequestMessage): number {
  switch (message.type) {
    case 'SUBSCRIBE':
    case 'TRACK_STATUS':
    case 'PUBLISH':
      return trackBytes(message.track)
    case 'FETCH':
      return message.range.kind === 'standalone' ? trackBytes(message.range.track) : 0
    case 'PUBLISH_NAMESPACE':
      return namespaceBytes(message.namespace)
    case 'SUBSCRIBE_NAMESPACE':
    case 'SUBSCRIBE_TRACKS':
      return namespaceBytes(message.prefix)
  }
}

function trackBytes({ namespace, name }: FullTrackName): number {
  return namespaceBytes(namespace) + name.length
}

function namespaceBytes(namespace: Namespace): number {
  let size = 0
  for (const field of namespace) size += field.length
  return size
}
