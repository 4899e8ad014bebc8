/** A call as React sees it: its events set state, and nothing else does. */
import { useEffect, useState } from 'react'
import {
  type Call,
  type CallState,
  configFromServer,
  joinCall,
  type Participant,
} from 'sotto/client'

const NOTHING = {
  call: null as Call | null,
  state: 'joining' as CallState,
  participants: [] as readonly Participant[],
  problem: '',
}

/** Joins while the component is shown, and leaves when it goes. */
export function useCall(room: string, name: string): typeof NOTHING {
  const [view, setView] = useState(NOTHING)
  useEffect(() => {
    let call: Call | null = null
    let gone = false
    const change = (part: Partial<typeof NOTHING>) => {
      if (!gone) setView((before) => ({ ...before, ...part }))
    }
    const join = async () => {
      const { relay, certificateHashes } = await configFromServer(room)
      if (gone) return
      call = joinCall({ url: relay, room, name, certificateHashes })
      call.on('state', (state) => change({ state }))
      call.on('participants', (participants) => change({ participants }))
      call.on('error', ({ message }) => change({ problem: message }))
      change({ call })
    }
    setView(NOTHING)
    join().catch((error: Error) => change({ state: 'failed', problem: error.message }))
    return () => {
      gone = true
      void call?.leave()
    }
  }, [room, name])
  return view
}
