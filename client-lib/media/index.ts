/**
 * The media pipeline of the browser library. In the worker: tracks are read, encoded and packetized;
 * objects are assembled and decoded. On the main thread: capture, the loudspeaker, the picture. The
 * playout worklet is a module of its own, loaded by address.
 */

export * from './assemble.ts'
export * from './audio-decoder.ts'
export * from './audio-encoder.ts'
export * from './audio-output.ts'
export * from './audio-sequence.ts'
export * from './capture/index.ts'
export * from './codecs.ts'
export * from './frames.ts'
export * from './level.ts'
export * from './media-error.ts'
export * from './packetize.ts'
export * from './pcm.ts'
export * from './track-reader.ts'
export * from './video-decoder.ts'
export * from './video-encoder.ts'
export * from './video-settings.ts'
export * from './video-view.ts'
