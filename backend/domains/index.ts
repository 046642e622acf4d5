// The domains that are installed, one line each.
import type { Domain } from '../engine/domain.ts'

export const domains: readonly Domain[] = []
