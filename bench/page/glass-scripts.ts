/**
 * What runs in the two pages of the glass-to-glass measurement. Each function is handed to a page as text,
 * and so needs nothing from outside of itself but `timecode`, which is there before it.
 */

import type { Timecode } from './timecode.ts'

/** One reading of the picture: a time that was not shown before. */
export interface Reading {
  /** Of the timecode, ms modulo its period. */
  readonly time: number
  /** ms since the Unix epoch, when it was seen first. */
  readonly at: number
}

declare global {
  var timecode: Timecode | undefined
  var readings: Reading[] | undefined
}

/** Makes the camera a canvas that shows the time at which it was painted, above something that moves. */
export function replaceCamera(): void {
  const { fieldsOf, columns, rows, height } = globalThis.timecode!
  const canvas = document.createElement('canvas')
  canvas.width = 1280
  canvas.height = 720
  const context = canvas.getContext('2d', { alpha: false })!
  const [w, h] = [canvas.width / columns, (canvas.height * height) / rows]
  let turn = 0
  const paint = () => {
    requestAnimationFrame(paint)
    if (turn++ % 2 === 1) return
    for (let bar = 0; bar < 32; bar++) {
      context.fillStyle = `hsl(${(bar * 11 + turn) % 360} 60% 45%)`
      context.fillRect(bar * 40, canvas.height * height, 40, canvas.height)
    }
    const white = fieldsOf(Math.floor(performance.timeOrigin + performance.now()))
    for (const [i, isWhite] of white.entries()) {
      context.fillStyle = isWhite ? '#fff' : '#000'
      context.fillRect((i % columns) * w, Math.floor(i / columns) * h, w, h)
    }
  }
  requestAnimationFrame(paint)
  const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices)
  navigator.mediaDevices.getUserMedia = async (constraints) => {
    const audio = constraints?.audio ?? false
    const sound = audio ? (await real({ audio })).getAudioTracks() : []
    const picture = constraints?.video ? canvas.captureStream(30).getVideoTracks() : []
    return new MediaStream([...sound, ...picture])
  }
}

/** Reads the time in the largest picture of somebody else's, with every repaint. */
export function readPicture(): void {
  const { timeOf, columns, rows, height } = globalThis.timecode!
  const readings: Reading[] = []
  globalThis.readings = readings
  const [wide, high] = [columns * 4, rows * 4]
  const probe = new OffscreenCanvas(wide, high).getContext('2d', { willReadFrequently: true })!
  let last = -1
  const look = () => {
    requestAnimationFrame(look)
    const self = globalThis.sotto?.call?.self
    const tile = [...document.querySelectorAll<HTMLElement>('[data-participant]')].find(
      ({ dataset }) => dataset.participant !== self,
    )
    const canvas = tile?.querySelector('canvas')
    if (!canvas || canvas.width === 0) return
    probe.drawImage(canvas, 0, 0, canvas.width, canvas.height * height, 0, 0, wide, high)
    const { data } = probe.getImageData(0, 0, wide, high)
    const isWhite = (field: number) => {
      const x = (field % columns) * 4 + 2
      const y = Math.floor(field / columns) * 4 + 2
      return data[(y * wide + x) * 4 + 1]! > 127
    }
    const white = Array.from({ length: columns * rows }, (_, i) => isWhite(i))
    const time = timeOf(white)
    if (time === null || time === last) return
    last = time
    readings.push({ time, at: performance.timeOrigin + performance.now() })
  }
  requestAnimationFrame(look)
}
