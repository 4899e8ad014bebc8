import { useEffect, useRef, useState } from 'react'
import { createRoot } from 'react-dom/client'
import { type Call, preloadCall } from 'sotto/client'
import { useCall } from './use-call.ts'

preloadCall()

function Picture({ call, id }: { call: Call; id: string }) {
  const canvas = useRef<HTMLCanvasElement>(null)
  useEffect(() => (canvas.current ? call.attachVideo(id, canvas.current) : undefined), [call, id])
  return <canvas ref={canvas} width={320} height={180} />
}

function CallRoom({ room, name, onLeave }: { room: string; name: string; onLeave: () => void }) {
  const { call, state, participants, problem } = useCall(room, name)
  const [muted, setMuted] = useState(false)
  useEffect(() => call?.setMicrophone(!muted), [call, muted])
  return (
    <main>
      <p role="status">{problem || state}</p>
      {call !== null &&
        participants.map(({ id, name: who, speaking }) => (
          <figure key={id}>
            <Picture call={call} id={id} />
            <figcaption>{speaking ? `${who} speaks` : who}</figcaption>
          </figure>
        ))}
      <button type="button" onClick={() => setMuted(!muted)}>
        {muted ? 'Unmute' : 'Mute'}
      </button>
      <button type="button" onClick={onLeave}>
        Leave
      </button>
    </main>
  )
}

function App() {
  const [name, setName] = useState('')
  const [joined, setJoined] = useState(false)
  if (joined) return <CallRoom room="demo" name={name} onLeave={() => setJoined(false)} />
  return (
    <form action={() => setJoined(name.trim() !== '')}>
      <input
        value={name}
        onChange={(event) => setName(event.target.value)}
        aria-label="Your name"
      />
      <button type="submit">Join</button>
    </form>
  )
}

createRoot(document.getElementById('root')!).render(<App />)
