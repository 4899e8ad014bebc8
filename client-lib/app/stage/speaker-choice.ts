/**
 * Whose picture is the large one: of whoever speaks, but calmly. A cough takes the stage from nobody, and
 * silence changes nothing. Pure: time is passed in.
 */

/** Who is there, as the choice needs it. */
export interface Speaking {
  readonly id: string
  readonly local: boolean
  readonly speaking: boolean
}

/** While the one that is shown says nothing, another has to speak for so long, ms. */
const TAKE_OVER_MS = 1500

export class SpeakerChoice {
  #shown: string | null = null
  #challenger: { readonly id: string; readonly since: number } | null = null

  /**
   * @param recent ids of who speaks and who spoke, the newest first
   * @returns id of who is shown; null: nobody is there. We are shown to ourselves only when alone
   */
  follow(people: readonly Speaking[], recent: readonly string[], now: number): string | null {
    const others = people.filter(({ local }) => !local)
    const shown = others.find(({ id }) => id === this.#shown)
    const heard = recent
      .map((id) => others.find((one) => one.id === id))
      .filter((one) => one !== undefined)
    const speaker = heard.find(({ speaking }) => speaking)
    if (!shown) this.#show((speaker ?? heard[0] ?? others[0] ?? people[0])?.id ?? null)
    else if (shown.speaking || !speaker) this.#challenger = null
    else this.#challenge(speaker.id, now)
    return this.#shown
  }

  #challenge(id: string, now: number): void {
    if (this.#challenger?.id !== id) this.#challenger = { id, since: now }
    if (now - this.#challenger.since >= TAKE_OVER_MS) this.#show(id)
  }

  #show(id: string | null): void {
    this.#shown = id
    this.#challenger = null
  }
}
