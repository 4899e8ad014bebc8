import { FeedbackMeter, type MeterSettings } from './meter.ts'

/** The meter of each participant that publishes. */
export class FeedbackMeters {
  private readonly settings: Partial<MeterSettings>
  private readonly rooms = new Map<string, Map<string, FeedbackMeter>>()

  constructor(settings: Partial<MeterSettings> = {}) {
    this.settings = settings
  }

  get(room: string, participant: string): FeedbackMeter | null {
    return this.rooms.get(room)?.get(participant) ?? null
  }

  /** Of each participant of a room: what arrives and what the uplink bears, bits/s; as last told. */
  dump(room: string) {
    return [...(this.rooms.get(room) ?? [])].map(([participant, meter]) => {
      const { bitrate, estimate } = meter.told
      return {
        participant,
        bitrate: Math.round(bitrate),
        estimate: estimate && Math.round(estimate),
      }
    })
  }

  /** Made when there is none. @param now ms */
  of(room: string, participant: string, now: number): FeedbackMeter {
    let participants = this.rooms.get(room)
    if (!participants) {
      participants = new Map()
      this.rooms.set(room, participants)
    }
    let meter = participants.get(participant)
    if (!meter) {
      meter = new FeedbackMeter(now, this.settings)
      participants.set(participant, meter)
    }
    return meter
  }

  /** A track is no longer published; with the last one the participant's meter goes. */
  removeTrack(room: string, participant: string, name: string): void {
    const participants = this.rooms.get(room)
    const meter = participants?.get(participant)
    meter?.removeTrack(name)
    if (meter?.size === 0) participants!.delete(participant)
    if (participants?.size === 0) this.rooms.delete(room)
  }
}
