import { parseParticipantNamespace } from '../../../moq/media/names.ts'
import { REPORT_TRACK } from '../../../moq/media/receiver-report.ts'
import { type FullTrackName, textOf } from '../../../moq/wire/names.ts'

/** Whether it is what a participant tells the relay alone: nobody else may have it. */
export function isReportTrack({ namespace, name }: FullTrackName): boolean {
  return textOf(name) === REPORT_TRACK && parseParticipantNamespace(namespace) !== null
}
