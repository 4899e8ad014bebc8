/**
 * A microphone's sound, or a screen's, on its way to the worker: read as a track where the browser can do
 * that, else by an audio worklet, which hands it to the worker without the page.
 */

import { AUDIO_SAMPLE_RATE } from '../codecs.ts'
import { resumeByGesture } from '../resume-context.ts'
import type { CaptureCommand } from './capture-worklet.ts'
import type { Tap } from './frame-source.ts'
import type { SampleBlock } from './sample-blocks.ts'
import { canReadTracks, readableOf } from './track-processor.ts'

/** What is transferred to the worker. */
export type SampleSource =
  /** The page reads tracks, and gives its stream away (Chromium). */
  | { readonly way: 'stream'; readonly samples: ReadableStream<AudioData> }
  /** Nobody reads tracks of sound: blocks come from the worklet. */
  | { readonly way: 'port'; readonly port: MessagePort }

/** The name that the worklet registers; importing it from there would run the worklet here. */
const PROCESSOR: typeof import('./capture-worklet.ts').CAPTURE_PROCESSOR = 'sotto-capture'
/** Blocks that may wait for the encoder, which mostly takes them at once. */
const MOST_WAITING = 8

/**
 * The page's end.
 * @param workletUrl where the bundler put `capture-worklet.ts` as a module of its own
 * @throws DOMException when the worklet cannot be loaded
 */
export async function tapAudio(
  track: MediaStreamTrack,
  workletUrl: string | URL,
): Promise<Tap<SampleSource>> {
  if (canReadTracks()) {
    const samples = readableOf<AudioData>(track)
    return { source: { way: 'stream', samples }, transfer: [samples], close: () => {} }
  }
  const context = contextFor(track)
  try {
    await context.audioWorklet.addModule(workletUrl)
  } catch (error) {
    await context.close()
    throw error
  }
  const node = new AudioWorkletNode(context, PROCESSOR, {
    channelCount: 1,
    channelCountMode: 'explicit',
    outputChannelCount: [1],
  })
  // Nodes that lead nowhere are not run; this one gives silence.
  context.createMediaStreamSource(new MediaStream([track])).connect(node)
  node.connect(context.destination)
  const stopResuming = resumeByGesture(context)
  const { port1, port2 } = new MessageChannel()
  tell(node, { blocks: port1 }, [port1])
  return {
    source: { way: 'port', port: port2 },
    transfer: [port2],
    close() {
      stopResuming()
      tell(node, { end: true })
      node.disconnect()
      // It fails only where it was closed before.
      context.close().catch(() => {})
    },
  }
}

/** The worker's end: cancelling the stream ends the reading. */
export function samplesOf(source: SampleSource): ReadableStream<AudioData> {
  return source.way === 'stream' ? source.samples : samplesFrom(source.port)
}

/**
 * A context in which the track can be heard. Firefox connects no track to a context of another rate than
 * that of the machine: then the worklet makes samples of the rate that is sent.
 */
function contextFor(track: MediaStreamTrack): AudioContext {
  const context = new AudioContext({ latencyHint: 'interactive', sampleRate: AUDIO_SAMPLE_RATE })
  try {
    context.createMediaStreamSource(new MediaStream([track])).disconnect()
    return context
  } catch {
    // The one that is taken instead says itself what is wrong with it.
    context.close().catch(() => {})
    return new AudioContext({ latencyHint: 'interactive' })
  }
}

/** Makes what the encoder takes of each block, and gives its memory back. */
function samplesFrom(port: MessagePort): ReadableStream<AudioData> {
  return new ReadableStream<AudioData>(
    {
      start(controller) {
        port.onmessage = ({ data }: MessageEvent<SampleBlock | null>) => {
          if (data === null) {
            controller.close()
            port.close()
            return
          }
          const { timestamp, samples } = data
          if ((controller.desiredSize ?? 0) > 0) {
            controller.enqueue(
              new AudioData({
                format: 'f32',
                sampleRate: AUDIO_SAMPLE_RATE,
                numberOfChannels: 1,
                numberOfFrames: samples.length,
                timestamp,
                data: samples,
              }),
            )
          }
          port.postMessage(samples, [samples.buffer])
        }
        port.postMessage('start')
      },
      cancel() {
        port.postMessage(null)
        port.close()
      },
    },
    { highWaterMark: MOST_WAITING },
  )
}

function tell(node: AudioWorkletNode, command: CaptureCommand, transfer: Transferable[] = []) {
  node.port.postMessage(command, transfer)
}
