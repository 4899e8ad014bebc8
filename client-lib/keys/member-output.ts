import type { MemberEvents } from './member-types.ts'

/** Calls the listener's methods so that one that throws disturbs nothing here; it is told as an alarm. */
export function guardEvents(events: MemberEvents): MemberEvents {
  const guard = (what: string, call: () => void): void => {
    try {
      call()
    } catch (cause) {
      if (what === 'onAlarm') return // Nobody is left to tell.
      guarded.onAlarm({ code: 'internal', message: `listener ${what} threw`, cause })
    }
  }
  const guarded: MemberEvents = {
    submit: (bytes) => guard('submit', () => events.submit(bytes)),
    requestSnapshot: () => guard('requestSnapshot', () => events.requestSnapshot()),
    requestLog: (epoch) => guard('requestLog', () => events.requestLog(epoch)),
    onEpoch: (epoch) => guard('onEpoch', () => events.onEpoch(epoch)),
    onState: (state) => guard('onState', () => events.onState(state)),
    onAlarm: (alarm) => guard('onAlarm', () => events.onAlarm(alarm)),
    onFailed: (error) => guard('onFailed', () => events.onFailed(error)),
  }
  return guarded
}
