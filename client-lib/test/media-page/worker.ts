/**
 * The whole loop in a worker, as a call runs it, without network and encryption: camera and microphone,
 * encode, packetize, lose some datagrams, assemble, decode, and give pictures and samples out.
 */

import { decodeMediaProperties, immutableOf } from '../../../moq/media/index.ts'
import { FrameAssembler } from '../../media/assemble.ts'
import { AudioTrackDecoder } from '../../media/audio-decoder.ts'
import { AudioTrackEncoder } from '../../media/audio-encoder.ts'
import { AudioSequence } from '../../media/audio-sequence.ts'
import { framesOf } from '../../media/capture/frame-source.ts'
import { samplesOf } from '../../media/capture/sample-source.ts'
import { videoCodecString } from '../../media/codecs.ts'
import type { ObjectPlan } from '../../media/frames.ts'
import type { MediaError } from '../../media/media-error.ts'
import { AudioPacketizer, VideoPacketizer } from '../../media/packetize.ts'
import { PcmSender } from '../../media/pcm.ts'
import { readTrack } from '../../media/track-reader.ts'
import { VideoTrackDecoder } from '../../media/video-decoder.ts'
import { VideoTrackEncoder } from '../../media/video-encoder.ts'
import type { Command, LoopReport, Start } from './messages.ts'

const MAX_DATAGRAM_SIZE = 1200
const now = () => performance.now()
const wallClock = () => Date.now()

/** A small generator with a seed (xorshift), so that every run loses the same datagrams. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}

function run(start: Start) {
  const { settings } = start
  const errors: string[] = []
  const onError = (error: MediaError | Error): void => void errors.push(String(error))
  const random = randomFrom(12345)
  const layersDecoded = new Set<number>()
  let layers = ''
  let datagrams = 0
  let droppedDatagrams = 0
  let streamObjects = 0
  let largestDatagramPayload = 0
  let keyFrameRequests = 0
  let pictureAgeMs = 0
  let inputLevel = 0
  let outputLevel = 0
  let lastLevelDbov = 127
  const audioTimestamps: number[] = []

  const videoPacketizer = new VideoPacketizer({ temporalLayers: settings.temporalLayers })
  const audioPacketizer = new AudioPacketizer()

  const onKeyFrameNeeded = (): void => {
    keyFrameRequests++
    videoEncoder.requestKeyFrame()
  }
  const videoDecoder = new VideoTrackDecoder({
    codec: videoCodecString(settings.codec, settings.width, settings.height),
    now,
    onFrame: (frame) => {
      pictureAgeMs = wallClock() - frame.timestamp / 1000
      postMessage({ frame }, { transfer: [frame] })
    },
    onKeyFrameNeeded: () => {
      assembler.requireKeyFrame()
    },
    onError,
  })
  const assembler = new FrameAssembler({
    now,
    onFrame: (frame) => {
      layersDecoded.add(frame.temporalLayer)
      videoDecoder.decode(frame)
    },
    onKeyFrameNeeded,
  })
  const videoEncoder = new VideoTrackEncoder({
    settings,
    now,
    wallClock,
    onFrame: (frame) => {
      layers += frame.key ? 'K' : frame.temporalLayer
      for (const plan of videoPacketizer.packetize(frame, MAX_DATAGRAM_SIZE)) deliverVideo(plan)
    },
    onError,
  })

  function deliverVideo(plan: ObjectPlan): void {
    if (plan.delivery === 'stream') {
      streamObjects++
    } else {
      datagrams++
      largestDatagramPayload = Math.max(largestDatagramPayload, plan.payload.length)
      if (random() < start.loss) {
        droppedDatagrams++
        return
      }
    }
    assembler.push({
      group: plan.group,
      object: plan.object,
      media: decodeMediaProperties(immutableOf(plan.properties)),
      payload: plan.payload,
    })
  }

  const sender = new PcmSender(start.samples)
  const audioDecoder = new AudioTrackDecoder({
    channels: 1,
    now,
    onSamples: (chunk) => {
      outputLevel = Math.max(outputLevel, audioDecoder.audioLevel)
      sender.send(chunk)
    },
    onError,
  })
  const sequence = new AudioSequence({
    now,
    onFrame: (frame) => audioDecoder.decode(frame.payload, frame.timestamp),
  })
  const audioEncoder = new AudioTrackEncoder({
    now,
    wallClock,
    onFrame: (frame) => {
      inputLevel = Math.max(inputLevel, audioEncoder.level)
      lastLevelDbov = frame.level
      audioTimestamps.push(frame.timestamp)
      const plan = audioPacketizer.packetize(frame)
      const media = decodeMediaProperties(immutableOf(plan.properties))
      const { group, object, payload } = plan
      sequence.push({ group, object, payload, timestamp: media.timestamp ?? 0 })
    },
    onError,
  })

  const { signal } = new AbortController()
  readTrack(
    framesOf(start.video),
    (frame) => {
      videoEncoder.encode(frame)
    },
    signal,
  ).catch(onError)
  readTrack(
    samplesOf(start.audio),
    (data) => {
      audioEncoder.encode(data)
    },
    signal,
  ).catch(onError)
  setInterval(() => {
    assembler.poll()
    sequence.poll()
  }, 10)

  return {
    videoEncoder,
    setMuted(muted: boolean): void {
      videoEncoder.setMuted(muted)
      audioEncoder.setMuted(muted)
      if (muted) audioPacketizer.startGroup()
    },
    report: (): LoopReport => ({
      errors,
      layers,
      encoder: videoEncoder.counters,
      droppedDatagrams,
      datagrams,
      streamObjects,
      largestDatagramPayload,
      assembler: assembler.counters,
      keyFrameRequests,
      video: { ...videoDecoder.counters, layers: [...layersDecoded].sort() },
      pictureAgeMs,
      audio: {
        encoded: audioEncoder.counters.encoded,
        framesDecoded: audioDecoder.counters.framesDecoded,
        inputLevel,
        outputLevel,
        lastLevelDbov,
        samplesDropped: sender.counters.dropped,
        timestamps: audioTimestamps,
      },
    }),
  }
}

let loop: ReturnType<typeof run> | null = null

addEventListener('message', (event: MessageEvent<Command>) => {
  const command = event.data
  if (command === 'report') postMessage({ report: loop?.report() })
  else if (command === 'key-frame') loop?.videoEncoder.requestKeyFrame()
  else if ('start' in command) loop = run(command.start)
  else if ('muted' in command) loop?.setMuted(command.muted)
  else loop?.videoEncoder.setRate(command.bitrate)
})
