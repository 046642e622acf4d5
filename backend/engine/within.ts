/** Waits until `work` is over, but not longer than `ms`. True if it is over. */
export async function within(ms: number, work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const tooLate = new Promise<false>((resolve) => (timer = setTimeout(resolve, ms, false)))
  const over = work.then(
    () => true,
    () => true,
  )
  return Promise.race([over, tooLate]).finally(() => clearTimeout(timer))
}
