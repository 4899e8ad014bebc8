/** A camera that costs little and shows somebody: for pages that only have to be there, and to be seen. */

import type { BrowserContext } from 'playwright-core'

export interface Painted {
  /** Colour of the room behind the person, degrees. */
  readonly hue: number
  /** Pictures a second. Default 4. */
  readonly framerate?: number
}

/** From now on every page of the context has this camera; its microphones stay what they are. */
export async function paintCamera(context: BrowserContext, painted: Painted): Promise<void> {
  await context.addInitScript(
    ({ hue, framerate = 4 }) => {
      const devices = navigator.mediaDevices
      const real = devices.getUserMedia.bind(devices)
      devices.getUserMedia = async (wanted = {}) => {
        const tracks: MediaStreamTrack[] = []
        if (wanted.audio) tracks.push(...(await real({ audio: wanted.audio })).getTracks())
        if (wanted.video) tracks.push(...paint(hue, framerate).getTracks())
        return new MediaStream(tracks)
      }

      function paint(hue: number, framerate: number): MediaStream {
        const canvas = document.createElement('canvas')
        canvas.width = 320
        canvas.height = 180
        const context = canvas.getContext('2d')!
        const draw = () => {
          const sway = 5 * Math.sin(performance.now() / 700)
          const light = context.createLinearGradient(0, 0, 320, 180)
          light.addColorStop(0, `hsl(${hue} 38% 74%)`)
          light.addColorStop(1, `hsl(${hue + 50} 34% 48%)`)
          context.fillStyle = light
          context.fillRect(0, 0, 320, 180)
          context.fillStyle = `hsl(${hue + 180} 26% 32%)`
          context.beginPath()
          context.ellipse(160 + sway / 2, 190, 78, 66, 0, 0, 7)
          context.fill()
          context.fillStyle = `hsl(${20 + (hue % 18)} 42% ${50 + (hue % 5) * 6}%)`
          context.beginPath()
          context.ellipse(160 + sway, 84, 33, 42, 0, 0, 7)
          context.fill()
          context.fillStyle = `hsl(${hue % 40} 36% 20%)`
          context.beginPath()
          context.ellipse(160 + sway, 60, 36, 26, 0, Math.PI, 0)
          context.fill()
        }
        draw()
        setInterval(draw, 1000 / framerate)
        return canvas.captureStream(framerate)
      }
    },
    { ...painted },
  )
}
