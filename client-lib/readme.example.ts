import { type Call, configFromServer, joinCall } from './index.ts'

/** Joins a call and shows everybody in it, ourselves too, each in a canvas inside `stage`. */
export async function example(stage: HTMLElement, room: string, name: string): Promise<Call> {
  const { relay, certificateHashes } = await configFromServer() // GET /config.json
  const call = joinCall({ url: relay, room, name, certificateHashes })
  call.on('error', ({ message }) => alert(message))
  call.on('participants', (participants) => {
    for (const { id } of participants) {
      if (document.getElementById(id)) continue
      const canvas = Object.assign(document.createElement('canvas'), { id })
      call.attachVideo(id, stage.appendChild(canvas))
    }
    const gone = [...stage.children].filter((tile) =>
      participants.every(({ id }) => id !== tile.id),
    )
    for (const tile of gone) tile.remove()
  })
  return call
}
