/**
 * A page's place in a room, which it finds again after a reload: the slot with its state, and the
 * signature key that its admission token is to be bound to, which has to exist before the token does.
 */

import type { SuiteName } from '../../moq/delivery/index.ts'
import type { Clock } from '../../moq/session/clock.ts'
import { admitAll } from './authenticate.ts'
import { fingerprint } from './fingerprint.ts'
import type { SignatureKeys } from './identity.ts'
import { defaultMemberSettings } from './member-types.ts'
import { MlsEngine } from './mls-engine.ts'
import { decodeSaved, encodeSaved } from './state-codec.ts'
import type { StateSlot, StateStore } from './state-store.ts'

export interface Seat {
  /** What the page asks for after a reload. */
  readonly id: string
  /** Null where nothing can be kept. */
  readonly slot: StateSlot | null
  /** Null unless they were asked for. */
  readonly keys: SignatureKeys | null
  /** JWK thumbprint of `keys`. */
  readonly thumbprint: string | null
  /**
   * Who used `keys` before the reload, and may be in the group still: no other leaf of the group may have
   * that key. Null where they are new.
   */
  readonly participantId: string | null
  /** Why nothing can be kept, where that is a fault. */
  readonly fault: unknown
}

export interface SeatRequest {
  readonly store: StateStore
  readonly room: string
  /** The seat from before the reload; null for a new one. */
  readonly wanted: string | null
  readonly suite: SuiteName
  /** Whether an admission token is to bind the key. */
  readonly wantsKeys: boolean
  readonly clock: Clock
  readonly randomId: () => string
}

/** The page that a reload replaces may hold its lease for a moment; a copy of this tab does for good. */
const TRIES = 4
const TRY_MS = 100

/** @throws KeysError `suite-unsupported` */
export async function takeSeat(request: SeatRequest): Promise<Seat> {
  const { id, slot, fault } = await openSlot(request)
  if (!request.wantsKeys) return { id, slot, ...NO_KEYS, fault }
  const { bytes, keys: kept, participantId } = slot ? await takeKeys(slot, request.suite) : NOTHING
  const keys = kept ?? (await makeSignatureKeys(request.suite))
  const thumbprint = fingerprint(keys.publicKey)
  const held = slot && holding(slot, bytes)
  return { id, slot: held, keys, thumbprint, participantId, fault }
}

/** @throws KeysError `suite-unsupported` */
export async function makeSignatureKeys(suite: SuiteName): Promise<SignatureKeys> {
  const { maxMembers } = defaultMemberSettings
  const engine = await MlsEngine.load(suite, { authenticate: admitAll, maxMembers })
  return engine.generateSignatureKeys()
}

/** Gives a seat up for good, before anybody uses it. */
export async function leaveSeat({ slot }: Pick<Seat, 'slot'>): Promise<void> {
  try {
    await slot?.clear()
  } finally {
    slot?.close()
  }
}

const NO_KEYS = { keys: null, thumbprint: null, participantId: null }
const NOTHING = { bytes: null, keys: null, participantId: null }

async function openSlot({ store, room, wanted, clock, randomId }: SeatRequest) {
  const open = (id: string) => store.open(`${room}/${id}`)
  try {
    for (let tries = 0; wanted !== null && tries < TRIES; tries++) {
      const slot = await open(wanted)
      if (slot !== null) return { id: wanted, slot, fault: null }
      await new Promise<void>((resolve) => clock.after(TRY_MS, resolve))
    }
    const id = randomId()
    return { id, slot: await open(id), fault: null }
  } catch (fault) {
    return { id: wanted ?? randomId(), slot: null, fault }
  }
}

/** What is kept, taken out; its keys, which stay, when they are of the suite. */
async function takeKeys(slot: StateSlot, suite: SuiteName) {
  const bytes = await slot.take()
  const saved = bytes === null ? null : decodeSaved(bytes)
  if (saved === null || isP256(saved.suite) !== isP256(suite)) return { ...NOTHING, bytes }
  const keysOnly = encodeSaved({ ...saved, group: null })
  await slot.save(keysOnly)
  keysOnly.fill(0)
  return { bytes, keys: saved.signatureKeys, participantId: saved.participantId }
}

function isP256(suite: SuiteName): boolean {
  return suite === 'p256'
}

/** A slot whose state was taken out already, for the one who is to have it. */
function holding(slot: StateSlot, bytes: Uint8Array | null): StateSlot {
  let held = bytes
  return {
    async take() {
      const first = held
      held = null
      return first ?? slot.take()
    },
    save: (state) => slot.save(state),
    clear: () => slot.clear(),
    close() {
      held?.fill(0)
      held = null
      slot.close()
    },
  }
}
