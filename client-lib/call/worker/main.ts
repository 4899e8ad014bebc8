/** The call's worker: joins the engine to the page by messages. */

import { systemClock } from '../../../moq/session/index.ts'
import { ChatError, type ChatErrorCode } from '../../chat/index.ts'
import { KeysError, leaveSeat, type Seat, takeSeat } from '../../keys/index.ts'
import { framesOf } from '../../media/capture/frame-source.ts'
import { samplesOf } from '../../media/capture/sample-source.ts'
import { canReadTracks } from '../../media/capture/track-processor.ts'
import { PcmSender } from '../../media/pcm.ts'
import type { CallError } from '../types.ts'
import type { FromWorker, JoinWish, SeatWish, ToWorker, WorkerOptions } from '../worker-protocol.ts'
import { CallEngine } from './call-engine.ts'
import { keysFailed, wentWrong } from './call-errors.ts'
import { Faults } from './faults.ts'
import { PictureOutlet } from './picture-outlet.ts'
import { Preparation } from './preparation.ts'

const preparation = new Preparation()
let engine: CallEngine | null = null
let seat: Promise<Seat> | null = null
/** What came before the engine was there to take it. */
let early: ToWorker[] = []
/** Where decoded sound goes; null until the page has opened the source that was asked for. */
const sounds = new Map<string, PcmSender | null>()
const pictures = new PictureOutlet((participant, source, frame) =>
  tell({ type: 'picture', participant, source, frame }, [frame]),
)
/** What holds for a call that is not there yet. */
const EARLY: ReadonlySet<ToWorker['type']> = new Set([
  'capture-video',
  'capture-audio',
  'release',
  'share',
  'unshare',
  'mute',
  'view',
])

function tell(message: FromWorker, transfer: Transferable[] = []): void {
  postMessage(message, { transfer })
}

const faults = new Faults(
  () => performance.now(),
  (error) => tell({ type: 'error', error: wentWrong(error) }),
)

// A mistake that nobody caught is told, and the call goes on as far as it can: a page that hears of it
// from the browser has to take the worker for broken.
addEventListener('error', (event) => {
  event.preventDefault()
  faults.tell('the worker', event.error ?? event.message)
})
addEventListener('unhandledrejection', (event) => {
  event.preventDefault()
  faults.tell('the worker', event.reason)
})

addEventListener('message', ({ data }: MessageEvent<ToWorker>) => {
  if (engine === null && EARLY.has(data.type)) early.push(data)
  else take(data)
})

function take(data: ToWorker): void {
  switch (data.type) {
    case 'prepare':
      preparation.prepare(data.preparations)
      return
    case 'seat':
      tell({ type: 'abilities', readsTracks: canReadTracks() })
      preparation.begin()
      seat = sit(data.wish, seat)
      seat.then(
        ({ id, thumbprint, participantId: participant }) =>
          tell({ type: 'seated', seat: id, thumbprint, participant }),
        (error) => tell({ type: 'no-seat', error: keysError(error) }),
      )
      return
    case 'join':
      seat
        ?.then((taken) => join(data.options, taken))
        .catch((error) => tell({ type: 'no-seat', error: wentWrong(error) }))
      return
    case 'capture-video': {
      const { frames, format } = data.video
      engine?.captureVideo({ frames: framesOf(frames), format })
      return
    }
    case 'capture-audio':
      engine?.captureAudio(samplesOf(data.samples))
      return
    case 'release':
      engine?.release(data.kind)
      return
    case 'share':
      engine?.share(framesOf(data.frames), data.sound && samplesOf(data.sound))
      return
    case 'unshare':
      engine?.unshare()
      return
    case 'mute':
      engine?.setMuted(data.kind, data.muted)
      return
    case 'view':
      engine?.setView(data.participant, data.source, data.view)
      return
    case 'sound':
      if (sounds.has(data.source)) sounds.set(data.source, new PcmSender(data.port))
      return
    case 'painter':
      pictures.setPainter(data.frames)
      return
    case 'show':
      pictures.setShown(data.participant, data.source, data.by)
      return
    case 'token':
      engine?.renewToken(data.token)
      return
    case 'hashes':
      engine?.renewHashes(data.hashes)
      return
    case 'hint':
      engine?.takeHint(data.hint)
      return
    case 'chat':
      tell({
        type: 'chat-sent',
        request: data.request,
        result: sent((to) => to.sendChat(data.text)),
      })
      return
    case 'data': {
      const result = sent((to) => to.sendData(data.bytes, data.topic))
      tell({ type: 'data-sent', request: data.request, result })
      return
    }
    case 'leave':
      void engine?.leave().finally(() => tell({ type: 'left' }))
      return
    case 'suspend':
      if (engine) engine.suspend()
      else void seat?.then(({ slot }) => slot?.close())
  }
}

async function sit(wish: SeatWish, former: Promise<Seat> | null): Promise<Seat> {
  if (former) await leaveSeat(await former)
  const { room, seat: wanted, suite, wantsKeys } = wish
  const randomId = () => crypto.randomUUID()
  const { store } = preparation
  return takeSeat({ store, room, wanted, suite, wantsKeys, clock: systemClock, randomId })
}

function join(options: JoinWish, taken: Seat): void {
  const participantId = options.participantId ?? taken.id
  engine = createEngine({ ...options, participantId }, taken)
  void engine.start()
  for (const message of early) take(message)
  early = []
}

function keysError(error: unknown): CallError {
  if (error instanceof KeysError) return keysFailed(error)
  const message = 'The encryption keys of this room could not be made in this browser.'
  return { code: 'keys-failed', message, detail: String(error) }
}

function sent<Sent>(send: (to: CallEngine) => Sent): Sent | ChatErrorCode {
  try {
    return engine === null ? 'not-connected' : send(engine)
  } catch (error) {
    if (error instanceof ChatError) return error.code
    throw error
  }
}

function createEngine(options: WorkerOptions, taken: Seat): CallEngine {
  return new CallEngine(options, taken, preparation, {
    onStatus: (status) => tell({ type: 'status', status }),
    onError: (error) => tell({ type: 'error', error }),
    onTokenWanted: () => tell({ type: 'token-wanted' }),
    onHashesWanted: () => tell({ type: 'hashes-wanted' }),
    onChat: (text) => tell({ type: 'chat', text }),
    onData: (data) => tell({ type: 'data', data }, [data.bytes.buffer]),
    onChatDelivered: (delivery) => tell({ type: 'chat-delivered', delivery }),
    onHistory: (events) => tell({ type: 'history', events }),
    onPicture: (participant, source, frame) => pictures.show(participant, source, frame),
    onReached: (step) => {
      tell({ type: 'reached', step, at: performance.timeOrigin + performance.now() })
    },
    onSamples(source, chunk) {
      const sound = sounds.get(source)
      if (sound) sound.send(chunk)
      else if (sound === undefined) {
        sounds.set(source, null)
        tell({ type: 'sound-wanted', source })
      }
    },
    onSoundEnded(source) {
      if (!sounds.has(source)) return
      sounds.get(source)?.close()
      sounds.delete(source)
      tell({ type: 'sound-ended', source })
    },
  })
}
