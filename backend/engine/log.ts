// The only winston import. Winston prints an Error inside metadata as `{}`, so errors are spelled out first.
// Warnings go to standard error, because on standard output they would be in the middle of what a command prints as JSON.
import winston from 'winston'

type Say = (message: string, details?: Readonly<Record<string, unknown>>) => void

export type Log = { error: Say; warn: Say; info: Say; debug: Say }

export type LogOptions = { level: string; format: 'json' | 'text' }

export function createLog({ level, format }: LogOptions): Log {
  const print = format === 'json' ? winston.format.json() : winston.format.printf(oneLine)
  return winston.createLogger({
    level,
    format: winston.format.combine(spellOutErrors(), winston.format.timestamp(), print),
    transports: [new winston.transports.Console({ stderrLevels: ['error', 'warn'] })],
  })
}

const spellOutErrors = winston.format((info) => {
  for (const [key, value] of Object.entries(info)) {
    if (value instanceof Error) info[key] = describe(value)
  }
  return info
})

function describe(error: Error): object {
  const cause = error.cause instanceof Error ? { cause: describe(error.cause) } : {}
  const code = 'code' in error ? { code: error.code } : {}
  return { message: error.message, ...code, stack: error.stack, ...cause }
}

function oneLine({
  timestamp,
  level,
  message,
  ...rest
}: winston.Logform.TransformableInfo): string {
  const details = Object.keys(rest).length === 0 ? '' : ` ${JSON.stringify(rest)}`
  return `${String(timestamp)} ${level} ${String(message)}${details}`
}
