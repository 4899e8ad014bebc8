/** The page of the media test: capture and playout on the main thread, everything else in the worker. */

import { AudioOutput, type AudioSource } from '../../media/audio-output.ts'
import captureWorkletUrl from '../../media/capture/capture-worklet.ts?worker&url'
import { formatOf, openDevices, tapAudio, tapVideo } from '../../media/capture/index.ts'
import { type CodecSupport, probeCodecs } from '../../media/codec-support.ts'
import workletUrl from '../../media/playout-worklet.ts?worker&url'
import { Repaints } from '../../media/repaints.ts'
import { DEFAULT_VIDEO, type VideoSettings } from '../../media/video-settings.ts'
import { VideoView } from '../../media/video-view.ts'
import type { Command, LoopReport, Start } from './messages.ts'

export interface MediaLoop {
  codecs(): Promise<CodecSupport>
  start(loss: number, settings?: Partial<VideoSettings>): Promise<void>
  command(command: Exclude<Command, { start: Start }>): void
  report(): Promise<LoopReport>
  /** Mean and spread of the canvas, and a number that changes with its content. */
  picture(): { width: number; height: number; mean: number; spread: number; hash: number }
  page(): { audioState: string; playout: AudioSource['report']; drawn: number; skipped: number }
  stop(): void
}

declare global {
  var mediaLoop: MediaLoop
}

const canvas = document.querySelector('canvas')!
const view = new VideoView(canvas, new Repaints())
let worker: Worker | null = null
let stream: MediaStream | null = null
let letGo = () => {}
let output: AudioOutput | null = null
let source: AudioSource | null = null
let answer: ((report: LoopReport) => void) | null = null

function startWorker(): Worker {
  const started = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' })
  started.onmessage = (event: MessageEvent<{ frame: VideoFrame } | { report: LoopReport }>) => {
    if ('frame' in event.data) view.push(event.data.frame)
    else answer?.(event.data.report)
  }
  return started
}

globalThis.mediaLoop = {
  codecs: probeCodecs,
  async start(loss, settings = {}) {
    stream = await openDevices({ camera: {}, microphone: {} })
    const [camera] = stream.getVideoTracks()
    const [microphone] = stream.getAudioTracks()
    output = await AudioOutput.create({ workletUrl })
    source = output.addSource()
    worker = startWorker()
    const { framerate } = formatOf(camera!)
    const video = tapVideo(camera!, { framerate, workerReadsTracks: false })
    const audio = await tapAudio(microphone!, captureWorkletUrl)
    letGo = () => {
      video.close()
      audio.close()
    }
    const samples = source.port
    const start: Start = {
      video: video.source,
      audio: audio.source,
      samples,
      settings: { ...DEFAULT_VIDEO, ...settings },
      loss,
    }
    const transfer = [...video.transfer, ...audio.transfer, samples]
    worker.postMessage({ start } satisfies Command, transfer)
  },
  command(command) {
    worker?.postMessage(command)
  },
  report() {
    return new Promise((resolve) => {
      answer = resolve
      worker?.postMessage('report' satisfies Command)
    })
  },
  picture() {
    const { width, height } = canvas
    const pixels = canvas.getContext('2d')!.getImageData(0, 0, width, height).data
    let sum = 0
    let squares = 0
    let hash = 0
    let count = 0
    for (let i = 0; i < pixels.length; i += 4) {
      const value = pixels[i]! + pixels[i + 1]! + pixels[i + 2]!
      sum += value
      squares += value * value
      hash = (Math.imul(hash, 31) + value) | 0
      count++
    }
    const mean = sum / count
    return { width, height, mean, spread: Math.sqrt(squares / count - mean * mean), hash }
  },
  page() {
    return {
      audioState: output?.state ?? 'none',
      playout: source?.report ?? null,
      drawn: view.counters.drawn,
      skipped: view.counters.skipped,
    }
  },
  stop() {
    worker?.terminate()
    letGo()
    for (const track of stream?.getTracks() ?? []) track.stop()
    source?.close()
    void output?.close()
    view.close()
  },
}
