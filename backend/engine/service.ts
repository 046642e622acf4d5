/** Something with a life. `stop` may be called more than once, and resolves when nothing is left running. */
export type Service = { stop(): Promise<void> }
