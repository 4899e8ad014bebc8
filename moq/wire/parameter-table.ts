/**
 * A draft's message parameters on the wire (draft-18 section 10.2): typed fields in ascending order of
 * type. An unknown parameter, one out of its scope or one repeated without leave ends the session.
 */

import { ProtocolError } from './errors.ts'
import type { MessageType } from './messages.ts'
import type { Parameters } from './parameters.ts'
import type { Reader } from './reader.ts'
import type { Writer } from './writer.ts'

export type MutableParameters = { -readonly [K in keyof Parameters]: Parameters[K] }

export interface ParameterDefinition {
  readonly key: keyof Parameters
  readonly type: number
  /** The messages that may carry it. REQUEST_OK stands for every alias of it. */
  readonly scope: readonly MessageType[]
  /** How often it stands in a message; only a parameter with this may be repeated. */
  count?(parameters: Parameters): number
  /** @param index below `count`; 0 for a parameter without it */
  write(writer: Writer, parameters: Parameters, index: number): void
  read(reader: Reader, into: MutableParameters, message: MessageType): void
}

export class ParameterTable {
  private readonly ascending: readonly ParameterDefinition[]
  private readonly byType: ReadonlyMap<number, ParameterDefinition>
  private readonly keys: ReadonlySet<string>

  constructor(definitions: readonly ParameterDefinition[]) {
    this.ascending = [...definitions].sort((a, b) => a.type - b.type)
    this.byType = new Map(definitions.map((definition) => [definition.type, definition]))
    this.keys = new Set(definitions.map(({ key }) => key))
  }

  /**
   * Number of parameters, then each with its type as a delta.
   * @throws RangeError for a parameter that the draft does not have
   */
  write(writer: Writer, parameters: Parameters): void {
    for (const [key, value] of Object.entries(parameters)) {
      if (value !== undefined && !this.keys.has(key)) {
        throw new RangeError(`this draft has no parameter ${key}`)
      }
    }
    const present = this.ascending.filter(({ key }) => parameters[key] !== undefined)
    let count = 0
    for (const definition of present) count += definition.count?.(parameters) ?? 1
    writer.vi64(count)
    let previous = 0
    for (const definition of present) {
      const times = definition.count?.(parameters) ?? 1
      for (let index = 0; index < times; index++) {
        writer.vi64(definition.type - previous)
        definition.write(writer, parameters, index)
        previous = definition.type
      }
    }
  }

  /**
   * @throws ProtocolError for an unknown, misplaced or repeated parameter, and for a value outside its
   * range
   */
  read(reader: Reader, message: MessageType): Parameters {
    const count = reader.vi64('parameter count')
    const into: MutableParameters = {}
    let type = 0
    for (let i = 0; i < count; i++) {
      const delta = reader.vi64('parameter type')
      type += delta
      const definition = this.byType.get(type)
      if (!definition) throw new ProtocolError(`unknown parameter 0x${type.toString(16)}`)
      if (!definition.scope.includes(message)) {
        throw new ProtocolError(`parameter 0x${type.toString(16)} is not allowed in ${message}`)
      }
      if (i > 0 && delta === 0 && !definition.count) {
        throw new ProtocolError(`parameter 0x${type.toString(16)} stands twice in ${message}`)
      }
      definition.read(reader, into, message)
    }
    return into
  }
}
