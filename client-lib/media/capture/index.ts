/**
 * Capture: devices and screens are opened on the page, and their tracks read for the worker in whichever
 * way the browser has. Video: `MediaStreamTrackProcessor` on the page, or in the worker; else pictures of
 * a `<video>`, by `requestVideoFrameCallback` or by a timer and a canvas. Sound: the same processor, else
 * an audio worklet.
 */

export * from './errors.ts'
export * from './frame-source.ts'
export * from './open.ts'
export * from './sample-source.ts'
export { canReadTracks } from './track-processor.ts'
