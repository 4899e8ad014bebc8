export interface MachineEvents {
  /** It is worth a look whether the connection still works. */
  onHint(hint: 'network-changed' | 'awake'): void
  /** The page goes, perhaps only to be reloaded. */
  onHide(): void
  /** Back without a reload, from where the browser had kept the page: without a connection. */
  onBack(): void
}

/** What the browser tells of the machine and of the page itself, for as long as a call lasts. */
export class Machine {
  private readonly events: MachineEvents
  private readonly ended = new AbortController()
  private hidden = false

  constructor(events: MachineEvents) {
    this.events = events
    const { signal } = this.ended
    const onNetworkChanged = () => events.onHint('network-changed')
    addEventListener('online', onNetworkChanged, { signal })
    addEventListener('offline', onNetworkChanged, { signal })
    addEventListener('pagehide', () => this.hide(), { signal })
    addEventListener('pageshow', () => this.show(), { signal })
    const onVisibility = () => {
      if (document.visibilityState === 'visible') events.onHint('awake')
    }
    document.addEventListener('visibilitychange', onVisibility, { signal })
  }

  /** Whether the page went. */
  get away(): boolean {
    return this.hidden
  }

  close(): void {
    this.ended.abort()
  }

  private hide(): void {
    this.hidden = true
    this.events.onHide()
  }

  private show(): void {
    if (this.hidden) this.events.onBack()
  }
}
