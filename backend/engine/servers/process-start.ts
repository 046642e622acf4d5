// A pid alone does not name a process: after a crash the system gives it to another program.
// The pid and the instant at which its process started do.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'

/** When the living process `pid` started, in the system's own spelling; undefined if there is none. */
export function processStart(pid: number): string | undefined {
  return existsSync('/proc/self/stat') ? startInProc(pid) : startInProcessList(pid)
}

export function isRunning({ pid, start }: { pid: number; start: string }): boolean {
  return processStart(pid) === start
}

// The name, in parentheses, may hold spaces and parentheses of its own. Behind it come the state and, as
// the 22nd field of the line, the start. A zombie is over; some containers never collect theirs.
function startInProc(pid: number): string | undefined {
  const line = readIfThere(`/proc/${pid}/stat`)
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ')
  return fields[0] === 'Z' ? undefined : fields[19]
}

function startInProcessList(pid: number): string | undefined {
  const [state, ...start] = askPs(pid, 'state=,lstart=').split(/\s+/)
  return state === '' || state?.startsWith('Z') === true ? undefined : start.join(' ')
}

/** The command line of the living process `pid`; empty if there is none. */
export function commandLine(pid: number): string {
  return existsSync('/proc/self/stat')
    ? readIfThere(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')
    : askPs(pid, 'command=')
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function askPs(pid: number, columns: string): string {
  try {
    return execFileSync('ps', ['-o', columns, '-p', String(pid)], { encoding: 'utf8' }).trim()
  } catch {
    return ''
  }
}
