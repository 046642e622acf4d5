/** Why a job that was under way ended early. `lost`: another process has taken it over. */
export type Interruption = 'cancelled' | 'stopped' | 'lost'

export class JobInterrupted extends Error {
  readonly why: Interruption

  constructor(why: Interruption) {
    super(`The job was interrupted: ${why}.`)
    this.name = 'AbortError'
    this.why = why
  }
}
