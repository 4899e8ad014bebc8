import { formatNamespace, type Namespace } from '../../moq/wire/names.ts'

/**
 * Values by namespace prefix (draft-18 section 9.5). A look-up walks the fields of one name, so it
 * does not grow with the number of prefixes.
 */
export class PrefixIndex<Value> {
  private readonly entries = new Map<string, Set<Value>>()

  add(prefix: Namespace, value: Value): void {
    const key = formatNamespace(prefix)
    const values = this.entries.get(key)
    if (values) values.add(value)
    else this.entries.set(key, new Set([value]))
  }

  delete(prefix: Namespace, value: Value): void {
    const key = formatNamespace(prefix)
    const values = this.entries.get(key)
    if (values?.delete(value) && values.size === 0) this.entries.delete(key)
  }

  /** Values whose prefix `namespace` starts with, the longest prefix first; a copy. */
  matching(namespace: Namespace): Value[] {
    const found: Value[] = []
    for (let length = namespace.length; length >= 0; length--) {
      const values = this.entries.get(formatNamespace(namespace.slice(0, length)))
      if (values) found.push(...values)
    }
    return found
  }
}
