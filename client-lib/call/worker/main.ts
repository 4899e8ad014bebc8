/** The call's worker: joins the engine to the page by messages. */

import { ChatError, type ChatErrorCode, type ChatText } from '../../chat/index.ts'
import { PcmSender } from '../../media/pcm.ts'
import type { FromWorker, ToWorker } from '../worker-protocol.ts'
import { CallEngine } from './call-engine.ts'

let engine: CallEngine | null = null
/** Where decoded sound goes; null until the page has opened the source that was asked for. */
const sounds = new Map<string, PcmSender | null>()
let heard = false

function tell(message: FromWorker, transfer: Transferable[] = []): void {
  postMessage(message, { transfer })
}

addEventListener('message', ({ data }: MessageEvent<ToWorker>) => {
  switch (data.type) {
    case 'join':
      engine = createEngine(data.options)
      void engine.start()
      return
    case 'capture':
      engine?.capture(data.video, data.audio)
      return
    case 'mute':
      engine?.setMuted(data.kind, data.muted)
      return
    case 'sound':
      if (sounds.has(data.source)) sounds.set(data.source, new PcmSender(data.port))
      return
    case 'token':
      engine?.renewToken(data.token)
      return
    case 'chat':
      tell({ type: 'chat-sent', request: data.request, result: sendChat(data.text) })
      return
    case 'leave':
      void engine?.leave().finally(() => tell({ type: 'left' }))
  }
})

function sendChat(text: string): ChatText | ChatErrorCode {
  try {
    return engine?.sendChat(text) ?? 'not-connected'
  } catch (error) {
    if (error instanceof ChatError) return error.code
    throw error
  }
}

function createEngine(options: Extract<ToWorker, { type: 'join' }>['options']): CallEngine {
  return new CallEngine(options, {
    onStatus: (status) => tell({ type: 'status', status }),
    onError: (error) => tell({ type: 'error', error }),
    onTokenWanted: () => tell({ type: 'token-wanted' }),
    onChat: (text) => tell({ type: 'chat', text }),
    onChatDelivered: (delivery) => tell({ type: 'chat-delivered', delivery }),
    onPicture: (participant, frame) => tell({ type: 'picture', participant, frame }, [frame]),
    onSamples(source, chunk) {
      if (!heard) {
        heard = true
        tell({ type: 'first-sound' })
      }
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
