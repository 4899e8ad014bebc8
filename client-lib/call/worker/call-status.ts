import type { EpochKeys } from '../../keys/index.ts'
import type { CallState, ConnectionInfo, Participant } from '../types.ts'
import type { WorkerOptions, WorkerStatus } from '../worker-protocol.ts'
import type { CallRoom } from './call-room.ts'
import { groupRoster } from './group-roster.ts'
import type { LocalMedia } from './local-media.ts'
import { SFRAME_SUITE } from './media-keys.ts'

/** What a report is made of. */
export interface StatusSources {
  readonly options: WorkerOptions
  readonly state: CallState
  readonly connection: ConnectionInfo
  readonly media: LocalMedia
  /** Null before there is one. */
  readonly room: CallRoom | null
  /** Our newest; null before the first. */
  readonly epoch: EpochKeys | null
}

/** Ourselves, the others, and members of the group who hide; nobody speaks yet. */
export function everybodyIn({ options, media, room }: StatusSources): Participant[] {
  const own: Participant = {
    id: options.participantId,
    name: options.name,
    local: true,
    alarms: room?.group.alarms ?? [],
    alarmNames: [],
    safetyNumber: '',
    speaking: false,
    tracks: media.infos(),
  }
  return [own, ...(room ? [...room.remotes.infos(), ...room.group.ghosts] : [])]
}

/** @param everybody as of `everybodyIn` */
export function callStatus(
  { options, state, connection, room, epoch }: StatusSources,
  everybody: readonly Participant[],
): WorkerStatus {
  const speakers = room?.speakers.among(everybody) ?? []
  const speaking = new Set(speakers.filter((one) => one.speaking).map(({ id }) => id))
  const firstWay = options.transport === 'websocket' ? 'websocket' : 'webtransport'
  return {
    state,
    connected: room?.current?.session.ready ?? false,
    transport: room?.current?.way ?? firstWay,
    connection,
    path: room?.path ?? { rttMs: null, queueMs: null },
    epoch: epoch?.epoch ?? 0,
    suite: { mls: epoch?.suite ?? options.suite ?? 'x-wing', sframe: SFRAME_SUITE.name },
    verificationCode: epoch?.verificationCode ?? '',
    verificationEmoji: room?.group.emoji ?? [],
    roster: epoch ? groupRoster(epoch, everybody) : [],
    participants: everybody.map((one) => ({ ...one, speaking: speaking.has(one.id) })),
    activeSpeakers: speakers.map(({ id }) => id),
  }
}
