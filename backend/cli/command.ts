import { InvalidArgumentError, type Command } from 'commander'
import * as z from 'zod'
import type { Context } from './context.ts'

/** Adds one command, with its flags, to the program. */
export type AddCommand = (program: Command, run: RunCommand) => void

/**
 * Runs the work of a command with the configuration read, and makes what it returns the exit code. Unless `loud`, only
 * warnings are logged: a command prints its result.
 */
export type RunCommand = (
  work: (context: Context) => Promise<number | void>,
  options?: { loud: boolean },
) => Promise<void>

export function wholeNumber(text: string): number {
  const number = Number(text)
  if (Number.isSafeInteger(number) && number > 0) return number
  throw new InvalidArgumentError('It must be a whole number above 0.')
}

export function isUuid(text: string | undefined): boolean {
  return z.guid().safeParse(text).success
}

/** In its canonical, lower-case form. */
export function uuid(text: string): string {
  if (isUuid(text)) return text.toLowerCase()
  throw new InvalidArgumentError('It must be a uuid.')
}
