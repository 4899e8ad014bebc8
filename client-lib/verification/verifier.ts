import type { Clock } from '../../moq/session/clock.ts'
import type { AlarmName } from './alarms.ts'
import { type EnteredEpoch, Ledger } from './ledger.ts'
import { Listener } from './listener.ts'
import { Observed } from './observed.ts'
import type { LeafSignatures } from './signatures.ts'
import { repeatMs, Speaker } from './speaker.ts'

export interface VerifierOptions {
  readonly participantId: string
  readonly clock: Clock
  /** ms since 1970. */
  readonly wallClock: () => number
  /** How long the group waits before it removes who vanished, ms: until then nobody is a ghost for it. */
  readonly graceMs: number
  readonly signatures: LeafSignatures
  /** Publish as a new group of our `verify` track. */
  readonly publish: (statement: Uint8Array) => void
  /** Somebody's alarms are others than before. */
  readonly onChange: () => void
}

/** An epoch that this member has entered, and who is in it. */
export interface VerifiedEpoch extends EnteredEpoch {
  /** Ourselves too. Fingerprints are JWK thumbprints of signature keys. */
  readonly roster: readonly { readonly participantId: string; readonly fingerprint: string }[]
}

const CHECK_MS = 250
/** Participants beyond the group that are watched: a room full of strangers costs no more. */
const MAX_OBSERVED = 1000

/** Compares what the members of a room say of their group; see `index.ts` for the reasons. */
export class Verifier {
  private readonly options: VerifierOptions
  private readonly ledger: Ledger
  private readonly speaker: Speaker
  private readonly observed = new Map<string, Observed>()
  private cancelCheck: () => void = () => {}
  private closed = false

  constructor(options: VerifierOptions) {
    this.options = options
    this.ledger = new Ledger(() => options.clock.now())
    this.speaker = new Speaker({ ...options, ledger: this.ledger })
    this.checkAgain()
  }

  enter(entered: VerifiedEpoch): void {
    const self = this.options.participantId
    const keys = new Map(entered.roster.map((entry) => [entry.participantId, entry.fingerprint]))
    this.speaker.fingerprint = keys.get(self) ?? null
    keys.delete(self)
    for (const id of keys.keys()) this.observe(id)
    for (const [id, observed] of this.observed) observed.setKey(keys.get(id) ?? null)
    this.ledger.enter(entered)
    this.speaker.members = entered.roster.length
    this.speaker.tellAll()
    this.check()
  }

  /** The group took an epoch back, for the word of most of its members (a `skipped` entry). */
  takeBack(epoch: number): void {
    this.ledger.takeBack(epoch)
    this.speaker.tellAll()
  }

  /** This member is in no group until it enters an epoch: it joins anew. */
  leave(): void {
    this.ledger.isOutside = true
    this.check()
  }

  /** The payload of an object of the `log` track, as it came. */
  seeLogEntry(payload: Uint8Array): void {
    if (this.ledger.see(payload)) this.speaker.tellAll()
  }

  /** The log was cut off for a while: entries may have been missed. */
  interruptLog(): void {
    this.ledger.interrupt()
  }

  /** Whether a participant's namespace is there. */
  setAnnounced(participantId: string, announced: boolean): void {
    if (participantId === this.options.participantId) return
    const observed = announced ? this.observe(participantId) : this.observed.get(participantId)
    observed?.setAnnounced(announced)
    this.check()
  }

  /** An object came that a participant is said to have published; what is in it does not matter. */
  noteTraffic(participantId: string): void {
    this.observed.get(participantId)?.noteTraffic(this.options.clock.now())
  }

  /** The payload of an object of somebody's `verify` track. */
  hear(participantId: string, payload: Uint8Array): void {
    this.observed.get(participantId)?.listener.push(payload)
  }

  /** Somebody new asks for our statement. */
  tellAll(): void {
    this.speaker.tellAll()
  }

  /** Worst first. */
  alarms(participantId: string): AlarmName[] {
    return this.observed.get(participantId)?.alarms ?? []
  }

  /** Members of the group that do not show themselves in the room, with an alarm each. */
  ghosts(): string[] {
    return [...this.observed].filter(([, { isGhost }]) => isGhost).map(([id]) => id)
  }

  /** Settles when everything heard so far is verified, and everything to say is said. */
  async idle(): Promise<void> {
    const listening = [...this.observed.values()].map(({ listener }) => listener.idle())
    await Promise.all([this.speaker.idle(), ...listening])
  }

  close(): void {
    this.closed = true
    this.cancelCheck()
    this.speaker.close()
    this.observed.clear()
  }

  private observe(id: string): Observed | undefined {
    const known = this.observed.get(id)
    if (known !== undefined || this.observed.size >= MAX_OBSERVED) return known
    const { clock, signatures, graceMs } = this.options
    const listener = new Listener(
      id,
      signatures,
      () => clock.now(),
      () => this.check(),
    )
    const observed = new Observed(listener, graceMs)
    this.observed.set(id, observed)
    return observed
  }

  private check(): void {
    if (this.closed) return
    const now = this.options.clock.now()
    const repeat = repeatMs(this.speaker.members)
    let changed = false
    for (const [id, observed] of this.observed) {
      if (observed.judge(this.ledger, repeat, now)) changed = true
      if (observed.isGone) this.observed.delete(id)
    }
    if (changed) this.options.onChange()
  }

  private checkAgain(): void {
    this.cancelCheck = this.options.clock.after(CHECK_MS, () => {
      this.check()
      this.checkAgain()
    })
  }
}
